"""Where stock may lie."""

from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from lavka.catalog.errors import InUse, Taken
from lavka.inventory.models import Warehouse
from lavka.kernel import security_log
from lavka.kernel.security_log import Object, SecurityEvent


class WarehouseContent(TypedDict, total=False):
    """What staff say about a warehouse."""

    name: str
    priority: int


@transaction.atomic
def create_warehouse(*, code: str, **content: Unpack[WarehouseContent]) -> Warehouse:
    """Open a warehouse under a code that stays; raises Taken."""
    try:
        with transaction.atomic():
            warehouse = Warehouse.objects.create(code=code, **content)
    except IntegrityError as fault:
        raise Taken.at("#/code") from fault
    _log(SecurityEvent.WAREHOUSE_CREATED, warehouse)
    return warehouse


@transaction.atomic
def update_warehouse(*, code: str, **content: Unpack[WarehouseContent]) -> Warehouse:
    """Rename a warehouse or change its turn; raises Warehouse.DoesNotExist. Locks: it."""
    warehouse = Warehouse.objects.select_for_update(no_key=True).get(code=code)
    for name, value in content.items():
        setattr(warehouse, name, value)
    warehouse.save(update_fields=list(content))
    if content:
        _log(SecurityEvent.WAREHOUSE_CHANGED, warehouse, changed=[*content])
    return warehouse


@transaction.atomic
def delete_warehouse(*, code: str) -> None:
    """Close a warehouse that never held stock; raises Warehouse.DoesNotExist, InUse. Locks: it."""
    warehouse = Warehouse.objects.select_for_update().get(code=code)
    _log(SecurityEvent.WAREHOUSE_DELETED, warehouse)
    try:
        warehouse.delete()
    except ProtectedError as fault:
        raise InUse from fault


def _log(event: SecurityEvent, warehouse: Warehouse, **details: Any) -> None:
    security_log.record(event, Object("warehouse", warehouse.code, warehouse.name), **details)

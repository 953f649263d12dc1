"""Where stock may lie."""

from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from lavka.catalog.errors import InUse, Taken
from lavka.inventory.models import Warehouse


class WarehouseContent(TypedDict, total=False):
    """What staff say about a warehouse."""

    name: str
    priority: int


@transaction.atomic
def create_warehouse(*, code: str, **content: Unpack[WarehouseContent]) -> Warehouse:
    """Open a warehouse under a code that stays; raises Taken."""
    try:
        with transaction.atomic():
            return Warehouse.objects.create(code=code, **content)
    except IntegrityError as fault:
        raise Taken.at("#/code") from fault


@transaction.atomic
def update_warehouse(*, code: str, **content: Unpack[WarehouseContent]) -> Warehouse:
    """Rename a warehouse or change its turn; raises Warehouse.DoesNotExist. Locks: it."""
    warehouse = Warehouse.objects.select_for_update(no_key=True).get(code=code)
    for name, value in content.items():
        setattr(warehouse, name, value)
    warehouse.save(update_fields=list(content))
    return warehouse


@transaction.atomic
def delete_warehouse(*, code: str) -> None:
    """Close a warehouse that never held stock; raises Warehouse.DoesNotExist, InUse. Locks: it."""
    try:
        Warehouse.objects.select_for_update().get(code=code).delete()
    except ProtectedError as fault:
        raise InUse from fault

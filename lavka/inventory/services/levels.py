"""What staff do to stock: count, receive, write off, move, set the policy.

The ledger names the `actor`, or whoever acts where none is given (`lavka.kernel.actors`).
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from lavka.catalog.models import Variant
from lavka.inventory.errors import NotOnHand, NotTracked, StockPromised, unknown_warehouse
from lavka.inventory.models import StockLevel, StockMovement, StockPolicy, Warehouse
from lavka.inventory.selectors import policy_of
from lavka.inventory.services.changes import (
    Change,
    change_levels,
    lock_levels,
    show_in_catalogue,
    written_by,
)
from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.errors import MAX_CHOICES
from lavka.kernel.security_log import Object, SecurityEvent


@transaction.atomic
def set_on_hand(
    *,
    variant_id: UUID,
    warehouse: str,
    on_hand: int,
    actor: Actor | None = None,
    reference: str = "",
) -> StockLevel:
    """Say how many units were counted in a warehouse (by code).

    Of a variant that is sold without counting the number is kept, and limits nothing.
    Raises: Variant.DoesNotExist; Invalid, for an unknown warehouse; StockPromised.
    Locks: the variant's levels. Emits: ProductChanged, StockRanOut, StockCameBack, StockRanLow.
    """
    [level] = count_stock(
        counts={variant_id: on_hand}, warehouse=warehouse, actor=actor, reference=reference
    )
    return level


@transaction.atomic
def count_stock(
    *,
    counts: Mapping[UUID, int],
    warehouse: str,
    actor: Actor | None = None,
    reference: str = "",
) -> Sequence[StockLevel]:
    """Say how many units of many variants (id → units) were counted in a warehouse: all or none.

    Takes the same few statements however many there are.
    Raises: Variant.DoesNotExist; Invalid, for an unknown warehouse; StockPromised, with `reserved`.
    Locks: the variants' levels. Emits: ProductChanged, StockRanOut, StockCameBack, StockRanLow.
    """
    levels = _lock_levels_in(counts.keys(), {"#/warehouse": warehouse})
    parts = [(level, counts[level.variant_id] - level.on_hand) for level in levels]
    _move(parts, StockMovement.Reason.COUNT, actor, reference)
    return levels


@transaction.atomic
def adjust_stock(
    *,
    variant_id: UUID,
    warehouse: str,
    by: int,
    reason: str,
    actor: Actor | None = None,
    reference: str = "",
) -> StockLevel:
    """Add or take away units in a warehouse (by code), for a reason of StockMovement.BY_STAFF.

    Raises: Variant.DoesNotExist; Invalid, for an unknown warehouse; NotOnHand; StockPromised.
    Locks: the variant's levels. Emits: ProductChanged, StockRanOut, StockCameBack, StockRanLow.
    """
    [level] = _lock_levels_in([variant_id], {"#/warehouse": warehouse})
    _move([(level, by)], reason, actor, reference)
    return level


@transaction.atomic
def transfer_stock(
    *,
    variant_id: UUID,
    origin: str,
    destination: str,
    quantity: int,
    actor: Actor | None = None,
    reference: str = "",
) -> Sequence[StockLevel]:
    """Move units between two warehouses (by code); returns both levels, the origin first.

    Raises: Variant.DoesNotExist; Invalid, for an unknown warehouse; NotOnHand; StockPromised.
    Locks: the variant's levels.
    """
    places = {"#/origin": origin, "#/destination": destination}
    levels = _lock_levels_in([variant_id], places)
    parts = list(zip(levels, (-quantity, quantity), strict=True))
    _move(parts, StockMovement.Reason.TRANSFER, actor, reference)
    return levels


@transaction.atomic
def set_policy(
    *,
    variant_id: UUID,
    when_out: str,
    backorder_limit: int = 0,
    available_on: datetime.date | None = None,
    low_stock_threshold: int | None = None,
) -> StockPolicy:
    """Say whether a tracked variant is sold beyond its stock, how far, and when it is low.

    Backorders are counted at one level, the one whose warehouse has the lowest priority number;
    a variant without a level gets one there.
    Raises: Variant.DoesNotExist; NotTracked; StockPromised, with `reserved`, when more is sold than
    the limit allows; Warehouse.DoesNotExist, when the shop has none.
    Locks: the variant's levels. Emits: ProductChanged, StockRanOut, StockCameBack.
    """
    content = {
        "when_out": when_out,
        "backorder_limit": backorder_limit,
        "available_on": available_on,
        "low_stock_threshold": low_stock_threshold,
    }
    is_tracked, sku = Variant.objects.values_list("track_inventory", "sku").get(pk=variant_id)
    if not is_tracked:
        raise NotTracked
    levels = lock_levels([variant_id]) or _first_level_of(variant_id)
    earlier = policy_of(variant_id)
    policy, _ = StockPolicy.objects.update_or_create(variant_id=variant_id, defaults=content)
    level = min(
        levels, key=lambda each: (-each.backorder_limit, each.warehouse.priority, each.warehouse_id)
    )
    if not change_levels([Change(level, beyond=backorder_limit - level.backorder_limit)]):
        raise StockPromised(reserved=level.reserved)
    changed = [name for name, value in content.items() if getattr(earlier, name) != value]
    if changed:
        security_log.record(
            SecurityEvent.STOCK_POLICY_CHANGED,
            Object("stock_policy", variant_id, sku),
            when_out=when_out,
            backorder_limit=backorder_limit,
            changed=changed,
        )
    return policy


def _first_level_of(variant_id: UUID) -> list[StockLevel]:
    """An empty level in the warehouse that is taken first."""
    warehouse = Warehouse.objects.order_by("priority", "code").first()
    if warehouse is None:
        raise Warehouse.DoesNotExist
    return _lock_levels_in([variant_id], {"#/warehouse": warehouse.code})


def _lock_levels_in(variant_ids: Collection[UUID], places: dict[str, str]) -> list[StockLevel]:
    """The variants' levels in the named warehouses (pointer → code), made where there are none.

    In the order of variants, and for each in that of the places.
    """
    if Variant.objects.filter(pk__in=variant_ids).count() != len(variant_ids):
        raise Variant.DoesNotExist
    warehouses = {each.code: each for each in Warehouse.objects.filter(code__in=places.values())}
    for pointer, code in places.items():
        if code not in warehouses:
            known = Warehouse.objects.order_by("code").values_list("code", flat=True)
            raise unknown_warehouse(pointer, tuple(known[: MAX_CHOICES + 1]))
    StockLevel.objects.bulk_create(
        [
            StockLevel(variant_id=variant_id, warehouse=warehouse)
            for variant_id in variant_ids
            for warehouse in warehouses.values()
        ],
        ignore_conflicts=True,
    )
    order = list(places.values())
    found = [level for level in lock_levels(variant_ids) if level.warehouse.code in order]
    return sorted(found, key=lambda each: (each.variant_id, order.index(each.warehouse.code)))


def _move(
    parts: Sequence[tuple[StockLevel, int]], reason: str, actor: Actor | None, reference: str
) -> None:
    """Move locked levels and write it into the ledger."""
    if not change_levels(Change(level, on_hand=by) for level, by in parts):
        short, by = next(
            (level, by)
            for level, by in parts
            if by < 0 and min(level.on_hand, level.available) + by < 0
        )
        raise StockPromised(reserved=short.reserved) if short.on_hand + by >= 0 else NotOnHand
    whose = written_by(actor)
    StockMovement.objects.bulk_create(
        StockMovement(level=level, quantity=by, reason=reason, reference=reference, **whose)
        for level, by in parts
        if by
    )
    for level, by in parts:
        level.on_hand += by
        level.available += by
    show_in_catalogue({level.variant_id for level, _ in parts})

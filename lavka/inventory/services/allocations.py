"""Stock that belongs to orders: given, shipped, returned, let go."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from lavka.inventory.errors import NotAllocated, NotOnHand, NotShipped
from lavka.inventory.models import Allocation, StockMovement
from lavka.inventory.services.changes import Change, change_levels, lock_levels, written_by
from lavka.inventory.services.reservation_lines import keep_exactly, reservations_of
from lavka.inventory.services.reservations import lock_hold
from lavka.kernel import rows
from lavka.kernel.actors import Actor

_CONVERT = """
INSERT INTO inventory_allocation (order_id, level_id, quantity, created_at)
SELECT %s, level_id, quantity, %s FROM inventory_reservation WHERE hold_id = %s ORDER BY level_id
ON CONFLICT (order_id, level_id)
    DO UPDATE SET quantity = inventory_allocation.quantity + excluded.quantity
"""
# What was bought is no longer kept unpaid.
_END = """
WITH bought AS (DELETE FROM inventory_reservationusage WHERE holder = %s)
DELETE FROM inventory_hold WHERE id = %s
"""
_END_UNPAID = """
WITH owed AS (
    UPDATE inventory_reservationusage SET counts_until = %s
    WHERE holder = %s AND variant_id = ANY(%s)
)
DELETE FROM inventory_hold WHERE id = %s
"""


@transaction.atomic
def allocate_reservation(
    *,
    holder: UUID,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    at: datetime.datetime,
    unpaid_until: datetime.datetime | None = None,
) -> None:
    """Give the order `quantities` (variant id → units in all, shipped ones included).

    They come from the holder's reservation, also after its deadline while it still exists; what
    it lacks is reserved now, and what it has too much is given back. What the order has already
    is not taken twice, so the call may be repeated. What is not paid yet counts against the limits
    of whoever had it held, `unpaid_until` then or `forget_usage`.
    Raises: OutOfStock, with `variants`.
    Locks: the hold, the order's allocations, then the levels whose reservation changes: none,
    when the holder has just what the order needs.
    Emits: ProductChanged, StockRanOut, StockRanLow, StockCameBack.
    """
    lock_hold(holder, at)
    has: Counter[UUID] = Counter()
    for each in _lock_allocations(order_id):
        has[each.level.variant_id] += each.quantity + each.shipped
    missing = {each: units - has[each] for each, units in quantities.items() if units > has[each]}
    keep_exactly(holder, missing, own=reservations_of.all(holder), at=at)
    rows.execute(_CONVERT, [order_id, at, holder])
    if unpaid_until is None:
        rows.execute(_END, [holder, holder])
    else:
        rows.execute(_END_UNPAID, [unpaid_until, holder, list(quantities), holder])


@transaction.atomic
def release_allocation(*, order_id: UUID, quantities: Mapping[UUID, int] | None = None) -> None:
    """Let go of units that were not shipped: `quantities` (variant id → units), or all of them.

    Variants of which the order has no stock, and untracked ones, are passed over, here and below.
    Raises: NotAllocated. Locks: the order's allocations, then their levels.
    Emits: ProductChanged, StockCameBack.
    """
    allocations = _lock_allocations(order_id)
    if quantities is None:
        quantities = _sums(allocations, "quantity")
    parts = list(_split(allocations, quantities, "quantity"))
    if len(parts) < 1:
        return
    _lock_levels_of(allocations)
    for allocation, units in parts:
        allocation.quantity -= units
        allocation.save(update_fields=["quantity"])
    change_levels(Change(each.level, reserved=-units) for each, units in parts)


@transaction.atomic
def ship_allocation(
    *,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    actor: Actor | None = None,
    reference: str = "",
) -> None:
    """Let units (variant id → units) leave the warehouses that hold them for the order.

    Raises: NotAllocated; NotOnHand, for a backorder that has not come in.
    Locks: the order's allocations, then their levels.
    """
    allocations = _lock_allocations(order_id)
    parts = list(_split(allocations, quantities, "quantity"))
    _lock_levels_of(allocations)
    for allocation, units in parts:
        allocation.quantity -= units
        allocation.shipped += units
        allocation.save(update_fields=["quantity", "shipped"])
    if not change_levels(
        Change(each.level, on_hand=-units, reserved=-units) for each, units in parts
    ):
        raise NotOnHand
    reason = StockMovement.Reason.SHIPMENT
    _write_down(parts, -1, reason=reason, reference=reference, **written_by(actor))


@transaction.atomic
def return_stock(
    *,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    restock: bool,
    actor: Actor | None = None,
    reference: str = "",
) -> None:
    """Note that shipped units (variant id → units) came back, and put them on the shelf again.

    Without `restock` they are only noted: nobody can buy them.
    Raises: NotShipped. Locks: the order's allocations, then their levels.
    Emits: ProductChanged, StockCameBack.
    """
    allocations = _lock_allocations(order_id)
    parts = list(_split(allocations, quantities, "sent"))
    for allocation, units in parts:
        allocation.returned += units
        allocation.save(update_fields=["returned"])
    if restock:
        _lock_levels_of(allocations)
        change_levels(Change(each.level, on_hand=units) for each, units in parts)
        reason = StockMovement.Reason.RETURN
        _write_down(parts, 1, reason=reason, reference=reference, **written_by(actor))


def _lock_allocations(order_id: UUID) -> list[Allocation]:
    return _allocations.all(order_id)


@rows.Compiled
def _allocations(order_id: UUID) -> QuerySet[Allocation]:
    found = Allocation.objects.filter(order_id=order_id).select_related("level")
    found = found.annotate(is_tracked=F("level__variant__track_inventory"))  # type: ignore[no-redef]
    return found.select_for_update(of=("self",), no_key=True).order_by("level_id")


def _lock_levels_of(allocations: list[Allocation]) -> None:
    lock_levels({each.level.variant_id for each in allocations})


def _left(allocation: Allocation, column: str) -> int:
    if column == "sent":
        return allocation.shipped - allocation.returned
    return allocation.quantity


def _sums(allocations: list[Allocation], column: str) -> Counter[UUID]:
    sums: Counter[UUID] = Counter()
    for each in allocations:
        sums[each.level.variant_id] += _left(each, column)
    return sums


def _split(
    allocations: list[Allocation], quantities: Mapping[UUID, int], column: str
) -> Iterator[tuple[Allocation, int]]:
    """From which allocation how many units; raises NotAllocated or NotShipped for too many."""
    left = dict(quantities)
    tracked = {each.level.variant_id for each in allocations if each.is_tracked}
    for allocation in allocations:
        units = min(left.get(allocation.level.variant_id, 0), _left(allocation, column))
        if units:
            left[allocation.level.variant_id] -= units
            yield allocation, units
    if any(left[variant_id] for variant_id in left.keys() & tracked):
        raise NotShipped if column == "sent" else NotAllocated


def _write_down(parts: list[tuple[Allocation, int]], sign: int, **fact: object) -> None:
    StockMovement.objects.bulk_create(
        StockMovement(level=each.level, quantity=sign * units, **fact) for each, units in parts
    )

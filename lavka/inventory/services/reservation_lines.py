"""Which units of which stock level a hold keeps."""

import datetime
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from lavka.catalog.models import Variant
from lavka.inventory.allocation import Offer, strategy
from lavka.inventory.errors import OutOfStock, shortage
from lavka.inventory.models import Reservation, StockLevel
from lavka.inventory.services.changes import Change, change_levels, lock_levels
from lavka.kernel import rows

type Admit = Callable[[Mapping[UUID, int], Mapping[UUID, int]], bool]


@rows.Compiled
def reservations_of(holder: UUID) -> QuerySet[Reservation]:
    """What a holder keeps, with the levels."""
    return Reservation.objects.filter(hold_id=holder).select_related("level")


def keep_exactly(
    holder: UUID,
    quantities: Mapping[UUID, int],
    *,
    own: Sequence[Reservation],
    at: datetime.datetime,
    admit: Admit = lambda _more, _free: True,
    is_counted_anew: bool = False,
) -> bool:
    """Make the reservations of a locked hold, `own` up to now, add up to `quantities`.

    `admit` is asked about more units of variants, with what is free of each, under the lock; about
    all units that are wanted when they are `is_counted_anew`. When it refuses, nothing changes, and
    this is False.
    Raises: OutOfStock.
    """
    held: Counter[UUID] = Counter()
    for each in own:
        held[each.level.variant_id] += each.quantity
    changed = {
        variant_id
        for variant_id in quantities.keys() | held.keys()
        if is_counted_anew or quantities.get(variant_id, 0) != held[variant_id]
    }
    if not changed:
        return True
    before = {each.level_id: each.quantity for each in own if each.level.variant_id in changed}
    wanted = {variant_id: quantities.get(variant_id, 0) for variant_id in changed}
    levels = _lock_free_levels(holder, wanted, before, at)
    counted, free = _counted(wanted, levels), _free(levels, before)
    more = {each: units for each, units in counted.items() if is_counted_anew or units > held[each]}
    if more and not admit(more, {each: free[each] for each in more}):
        return False
    promises = strategy().allocate(
        wanted=counted,
        offers=[
            _offer(level, before.get(level.pk, 0))
            for level in levels
            if level.variant_id in counted
        ],
    )
    if not change_levels(
        Change(level, reserved=promises.get(level.pk, 0) - before.get(level.pk, 0))
        for level in levels
    ):
        raise RuntimeError("a stock level changed under its lock")
    if before:
        Reservation.objects.filter(hold_id=holder, level_id__in=before).delete()
    rows.insert_all(
        [
            Reservation(hold_id=holder, level_id=level_id, quantity=quantity)
            for level_id, quantity in promises.items()
        ]
    )
    return True


def _lock_free_levels(
    holder: UUID, wanted: Mapping[UUID, int], before: Mapping[UUID, int], at: datetime.datetime
) -> list[StockLevel]:
    """Lock levels that hold what is wanted; `before` is the holder's already."""
    levels = lock_levels(wanted)
    if _shortages(_counted(wanted, levels), levels, before):
        # A second look sees levels that were added meanwhile and what others let expire.
        reclaim(levels, at, spare=holder)
        levels = lock_levels(wanted)
    if short := _shortages(_counted(wanted, levels), levels, before):
        raise OutOfStock(variants=short)
    return levels


def _counted(wanted: Mapping[UUID, int], levels: Sequence[StockLevel]) -> dict[UUID, int]:
    """What is wanted of the variants that are tracked, 0 left out: no query, if all have levels."""
    is_tracked = {level.variant_id: level.is_tracked for level in levels}
    unknown = [each for each, units in wanted.items() if units and each not in is_tracked]
    if unknown:
        untracked = Variant.objects.filter(pk__in=unknown, track_inventory=False)
        is_tracked |= dict.fromkeys(untracked.values_list("pk", flat=True), False)
    return {each: units for each, units in wanted.items() if units and is_tracked.get(each, True)}


def _offer(level: StockLevel, own: int) -> Offer:
    on_hand = max(level.on_hand - level.reserved + own, 0)
    return Offer(
        level_id=level.pk,
        variant_id=level.variant_id,
        warehouse_id=level.warehouse_id,
        priority=level.warehouse.priority,
        on_hand=min(on_hand, level.available + own),
        beyond=level.available + own - min(on_hand, level.available + own),
    )


def _shortages(
    wanted: Mapping[UUID, int], levels: Sequence[StockLevel], before: Mapping[UUID, int]
) -> list[dict[str, object]]:
    """Each variant that falls short, as the error tells it, in the order of ids."""
    free = _free(levels, before)
    return [
        shortage(each, requested=wanted[each], available=free[each])
        for each in sorted(wanted)
        if wanted[each] > free[each]
    ]


def _free(levels: Sequence[StockLevel], before: Mapping[UUID, int]) -> Counter[UUID]:
    """Units of each variant that the holder may have, its own included."""
    free: Counter[UUID] = Counter()
    for level in levels:
        free[level.variant_id] += level.available + before.get(level.pk, 0)
    return free


_RECLAIM = """
WITH expired AS (
    SELECT hold.id FROM inventory_hold AS hold
    WHERE hold.expires_at <= %s AND hold.id IS DISTINCT FROM %s AND EXISTS (
        SELECT FROM inventory_reservation WHERE hold_id = hold.id AND level_id = ANY(%s)
    )
    FOR UPDATE SKIP LOCKED
)
DELETE FROM inventory_reservation USING expired
WHERE hold_id = expired.id AND level_id = ANY(%s)
RETURNING level_id, quantity
"""


def reclaim(levels: Sequence[StockLevel], at: datetime.datetime, spare: UUID | None = None) -> None:
    """Take back expired reservations of these locked levels only: others would be out of order.

    Whoever asks is to `spare` their own, which they count as theirs already.
    """
    ids = [level.pk for level in levels]
    with connection.cursor() as cursor:
        cursor.execute(_RECLAIM, [at, spare, ids, ids])
        freed: Counter[UUID] = Counter()
        for level_id, quantity in cursor.fetchall():
            freed[level_id] += quantity
    change_levels(Change(level, reserved=-freed[level.pk]) for level in levels)

"""Stock that a holder (a cart) keeps from others for a while."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from lavka.catalog.models import Variant
from lavka.inventory.allocation import Offer, strategy
from lavka.inventory.errors import OutOfStock
from lavka.inventory.models import Hold, Reservation, StockLevel
from lavka.inventory.services.changes import Change, change_levels, lock_levels
from lavka.kernel import rows

_EXTEND = "UPDATE inventory_hold SET expires_at = %s WHERE id = %s AND expires_at < %s"
_TAKE = """
INSERT INTO inventory_hold (id, expires_at) VALUES (%s, %s)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
"""


@rows.Compiled
def _reservations(holder: UUID) -> QuerySet[Reservation]:
    return Reservation.objects.filter(hold_id=holder).select_related("level")


@transaction.atomic
def reserve_stock(
    *,
    holder: UUID,
    quantities: Mapping[UUID, int],
    until: datetime.datetime,
    at: datetime.datetime,
) -> None:
    """Keep `quantities` (variant id → units > 0) for the holder: all, or nothing changes.

    Called again it adjusts what the holder has to the new quantities and moves the deadline.
    Variants that are sold without counting are passed over. What others let expire is taken when
    nothing else is left.
    Raises: OutOfStock, with `variants`.
    Locks: the hold, then the levels whose reservation changes, until the transaction ends.
    Emits: ProductChanged, StockRanOut, StockRanLow, StockCameBack.
    """
    take_hold(holder, until)
    hold_exactly(holder, quantities, at)


def extend_reservation(*, holder: UUID, until: datetime.datetime) -> None:
    """Move the holder's deadline, if there is a hold, and never to an earlier instant.

    One statement, so it needs no savepoint in its caller's transaction.
    """
    rows.execute(_EXTEND, [until, holder, until])


@transaction.atomic
def release_reservation(*, holder: UUID) -> None:
    """Give back what the holder keeps, if anything.

    Locks: the hold, then its levels. Emits: ProductChanged, StockCameBack.
    """
    if not Hold.objects.select_for_update().filter(pk=holder).exists():
        return
    kept = dict(Reservation.objects.filter(hold_id=holder).values_list("level_id", "quantity"))
    variants = StockLevel.objects.filter(pk__in=kept).values_list("variant_id", flat=True)
    levels = lock_levels(set(variants)) if kept else []
    change_levels(Change(level, reserved=-kept.get(level.pk, 0)) for level in levels)
    Hold.objects.filter(pk=holder).delete()


@transaction.atomic
def release_expired(*, at: datetime.datetime, limit: int) -> int:
    """Give back what up to `limit` holders kept beyond their deadline; returns how many.

    The levels come before the holds, as for a buyer who takes what has expired: whoever has the
    level first, the other one finds the units free.
    Locks: the levels, then the holds that nobody else has locked.
    Emits: ProductChanged, StockCameBack.
    """
    expired = Hold.objects.filter(expires_at__lte=at).order_by("expires_at")
    ids = list(expired.values_list("pk", flat=True)[:limit])
    kept = Reservation.objects.filter(hold_id__in=ids)
    variants = set(kept.values_list("level__variant_id", flat=True))
    if variants:
        _reclaim(lock_levels(variants), at)
    emptied = expired.filter(pk__in=ids, reservations=None).select_for_update(
        of=("self",), skip_locked=True
    )
    gone = list(emptied.values_list("pk", flat=True))
    Hold.objects.filter(pk__in=gone).delete()
    return len(gone)


def take_hold(holder: UUID, until: datetime.datetime) -> None:
    """Lock the holder's hold, made when there is none, so that calls for it queue up."""
    rows.execute(_TAKE, [holder, until])


def hold_exactly(holder: UUID, quantities: Mapping[UUID, int], at: datetime.datetime) -> None:
    """Make the reservations of a locked hold add up to `quantities`; raises OutOfStock."""
    own = _reservations.all(holder)
    held: Counter[UUID] = Counter()
    for each in own:
        held[each.level.variant_id] += each.quantity
    changed = {
        variant_id
        for variant_id in quantities.keys() | held.keys()
        if quantities.get(variant_id, 0) != held[variant_id]
    }
    if not changed:
        return
    before = {each.level_id: each.quantity for each in own if each.level.variant_id in changed}
    wanted = {variant_id: quantities.get(variant_id, 0) for variant_id in changed}
    levels, promises = _plan(holder, wanted, before, at)
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


def _plan(
    holder: UUID, wanted: Mapping[UUID, int], before: Mapping[UUID, int], at: datetime.datetime
) -> tuple[list[StockLevel], Mapping[UUID, int]]:
    """Lock the levels and choose what to take from which; `before` is the holder's already."""
    levels = lock_levels(wanted)
    if _shortages(_counted(wanted, levels), levels, before):
        # A second look sees levels that were added meanwhile and what others let expire.
        _reclaim(levels, at, spare=holder)
        levels = lock_levels(wanted)
    counted = _counted(wanted, levels)
    if short := _shortages(counted, levels, before):
        raise OutOfStock(variants=short)
    promises = strategy().allocate(
        wanted=counted,
        offers=[
            _offer(level, before.get(level.pk, 0))
            for level in levels
            if level.variant_id in counted
        ],
    )
    return levels, promises


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
    available: Counter[UUID] = Counter()
    for level in levels:
        available[level.variant_id] += level.available + before.get(level.pk, 0)
    return [
        {"variant_id": each, "requested": wanted[each], "available": available[each]}
        for each in sorted(wanted)
        if wanted[each] > available[each]
    ]


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


def _reclaim(
    levels: Sequence[StockLevel], at: datetime.datetime, spare: UUID | None = None
) -> None:
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

"""Stock that a holder (a cart) keeps from others for a while."""

import datetime
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from lavka.inventory.models import Hold, Reservation, ReservationUsage, StockLevel
from lavka.inventory.rules import Requester
from lavka.inventory.services.changes import Change, change_levels, lock_levels
from lavka.inventory.services.limits import count_usage
from lavka.inventory.services.reservation_lines import keep_exactly, reclaim, reservations_of
from lavka.kernel import rows

_EXTEND = """
UPDATE inventory_hold SET expires_at = least(%s, ends_at)
WHERE id = %s AND expires_at < least(%s, ends_at)
"""
_LOCK = """
INSERT INTO inventory_hold (id, expires_at, ends_at) VALUES (%s, %s, %s)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
"""
# What a holder kept before, and let go unpaid, has fixed its end; what counts no longer is no more
# in the way of what is counted now.
_TAKE = """
WITH forgotten AS (
    DELETE FROM inventory_reservationusage WHERE holder = %s AND counts_until <= %s
)
INSERT INTO inventory_hold AS hold (id, customer_id, address, expires_at, ends_at)
SELECT %s, %s, %s, least(%s, last.ends_at), last.ends_at
FROM (
    SELECT coalesce(min(ends_at), %s) AS ends_at FROM inventory_reservationusage
    WHERE holder = %s AND counts_until > %s
) AS last
ON CONFLICT (id) DO UPDATE
    SET expires_at = least(greatest(hold.expires_at, excluded.expires_at), hold.ends_at),
        customer_id = coalesce(excluded.customer_id, hold.customer_id),
        address = coalesce(nullif(excluded.address, ''), hold.address)
RETURNING new.expires_at, new.ends_at, old.id IS NULL
"""
_SHORTEN = """
UPDATE inventory_hold SET expires_at = least(expires_at, %s), ends_at = least(ends_at, %s)
WHERE id = %s
"""
_DELETE = "DELETE FROM inventory_hold WHERE id = %s"


class Taken(NamedTuple):
    """A hold as it is after it was taken."""

    expires_at: datetime.datetime
    ends_at: datetime.datetime
    is_new: bool


@transaction.atomic
def reserve_stock(
    *,
    holder: UUID,
    quantities: Mapping[UUID, int],
    until: datetime.datetime,
    at: datetime.datetime,
    ends_at: datetime.datetime | None = None,
    requester: Requester | None = None,
) -> datetime.datetime | None:
    """Keep `quantities` (variant id → units > 0) for the holder: all, or nothing changes.

    Called again it adjusts what the holder has to the new quantities and moves the deadline, never
    past the `ends_at` of the first call; a call for more units may only bring that nearer.
    Who is ordering is asked about all of it, also about what they have held up to now.
    Variants that are sold without counting are passed over. What others let expire is taken when
    nothing else is left.
    Returns the deadline. None, when nothing is held, as it is beyond the requester's limits or past
    the end: what the holder had kept then expires.
    Raises: OutOfStock, with `variants`.
    Locks: the hold, the levels whose reservation changes, the requester's limits, until the
    transaction ends.
    Emits: ProductChanged, StockRanOut, StockRanLow, StockCameBack.
    """
    limit, is_ordering = ends_at or until, requester is not None and requester.is_ordering
    hold = take_hold(holder, requester, until, limit, at)

    def admit(more: Mapping[UUID, int], free: Mapping[UUID, int]) -> bool:
        nonlocal hold
        if limit < hold.ends_at:
            rows.execute(_SHORTEN, [limit, limit, holder])
            hold = hold._replace(expires_at=min(hold.expires_at, limit), ends_at=limit)
        if at >= hold.ends_at and not is_ordering:
            return False
        return requester is None or count_usage(
            holder, requester, more, free, ends_at=hold.ends_at, at=at
        )

    own = [] if hold.is_new else reservations_of.all(holder)
    if keep_exactly(holder, quantities, own=own, at=at, admit=admit, is_counted_anew=is_ordering):
        return hold.expires_at if at < hold.expires_at or is_ordering else None
    if hold.is_new:
        rows.execute(_DELETE, [holder])
    else:
        rows.execute(_SHORTEN, [at, at, holder])
    return None


def extend_reservation(*, holder: UUID, until: datetime.datetime) -> None:
    """Move the holder's deadline, if there is a hold: never back, and never past its end.

    One statement, so it needs no savepoint in its caller's transaction.
    """
    rows.execute(_EXTEND, [until, holder, until])


@transaction.atomic
def release_reservation(*, holder: UUID) -> None:
    """Give back what the holder keeps, if anything; it still counts against their limits.

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
        reclaim(lock_levels(variants), at)
    emptied = expired.filter(pk__in=ids, reservations=None).select_for_update(
        of=("self",), skip_locked=True
    )
    gone = list(emptied.values_list("pk", flat=True))
    Hold.objects.filter(pk__in=gone).delete()
    return len(gone)


@transaction.atomic
def release_hold(*, reference: UUID, at: datetime.datetime) -> None:
    """End what somebody keeps from others, for good: they may still buy, if they are first.

    Raises: Hold.DoesNotExist. Locks: the hold, then its levels. Emits: ProductChanged,
    StockCameBack.
    """
    holder = Hold.objects.values_list("pk", flat=True).get(reference=reference)
    ReservationUsage.objects.filter(holder=holder, ends_at__gt=at).update(ends_at=at)
    release_reservation(holder=holder)


def forget_usage(*, holder: UUID) -> None:
    """Count nothing of this holder against anybody's limits any more: it was paid, or let go."""
    ReservationUsage.objects.filter(holder=holder).delete()


def purge_usage(*, at: datetime.datetime) -> int:
    """Forget what no longer counts against anybody's limits; returns how many rows."""
    return ReservationUsage.objects.filter(counts_until__lte=at).delete()[0]


def lock_hold(holder: UUID, at: datetime.datetime) -> None:
    """Lock the holder's hold, made when there is none, so that calls for it queue up."""
    rows.execute(_LOCK, [holder, at, at])


def take_hold(
    holder: UUID,
    requester: Requester | None,
    until: datetime.datetime,
    ends_at: datetime.datetime,
    at: datetime.datetime,
) -> Taken:
    """Lock the holder's hold and move its deadline, or make one."""
    customer_id, address = (requester.customer_id, requester.address) if requester else (None, "")
    values = [holder, at, holder, customer_id, address, until, ends_at, holder, at]
    return Taken(*rows.fetch_one(_TAKE, values))

"""What buyers keep from others unpaid, counted and limited.

A limit never stands in the way of a sale: beyond it nothing is held, and who pays first buys.
"""

import datetime
from collections.abc import Mapping
from uuid import UUID

from lavka.inventory.rules import HoldLimit, Requester
from lavka.kernel import locks, rows
from lavka.kernel.conf import options

_LOCK_CLASS = 7_305_932
_USED = """
SELECT coalesce(array_agg(variant_id), '{}'), coalesce(array_agg(by_customer), '{}'),
    coalesce(array_agg(by_address), '{}'), coalesce(array_agg(own), '{}')
FROM (
    SELECT variant_id,
        coalesce(sum(quantity) FILTER (WHERE customer_id = %s AND holder <> %s), 0) AS by_customer,
        coalesce(sum(quantity) FILTER (WHERE address = %s AND holder <> %s), 0) AS by_address,
        coalesce(sum(quantity) FILTER (WHERE holder = %s), 0) AS own
    FROM inventory_reservationusage
    WHERE counts_until > %s AND (customer_id = %s OR address = %s OR holder = %s)
    GROUP BY variant_id
) AS used
"""
_COUNT = """
INSERT INTO inventory_reservationusage AS usage
    (holder, variant_id, quantity, customer_id, address, ends_at, counts_until)
SELECT %s, variant_id, quantity, %s, %s, %s, %s + make_interval(secs => %s)
FROM unnest(%s::uuid[], %s::int[]) AS wanted (variant_id, quantity)
ON CONFLICT (holder, variant_id) DO UPDATE
    SET quantity = greatest(usage.quantity, excluded.quantity),
        customer_id = excluded.customer_id, address = excluded.address
"""


def count_usage(
    holder: UUID,
    requester: Requester,
    wanted: Mapping[UUID, int],
    free: Mapping[UUID, int],
    *,
    ends_at: datetime.datetime,
    at: datetime.datetime,
) -> bool:
    """Count what a holder is to keep (variant id → units) if it is within the requester's limits.

    False, with nothing counted, when it is beyond them. What a holder kept before and exchanged
    for something else stays counted. A variant of which more is kept counts from then on for this
    requester alone, whoever asked for the first units.
    Locks: the requester's limits, until the transaction ends; after the stock levels.
    """
    lock_limits(requester)
    used = _used_by(holder, requester, at)
    own = used["holder"]
    asked = {each: max(wanted.get(each, 0), own.get(each, 0)) for each in wanted.keys() | own}
    if not all(
        _limit_of(kind).allows(asked, used=used[kind], free=free, free_units=requester.free_units)
        for kind in _kinds_of(requester)
    ):
        return False
    who, window = [requester.customer_id, requester.address], options.hold_window_seconds
    columns = [list(wanted), list(wanted.values())]
    rows.execute(_COUNT, [holder, *who, ends_at, at, window, *columns])
    return True


def lock_limits(requester: Requester) -> None:
    """Let nobody else count for this customer or address until the transaction ends.

    Locks: the limits of both, in one order.
    """
    names = {"customer": requester.customer_id, "address": requester.address}
    locks.lock_names(_LOCK_CLASS, [f"{kind} {names[kind]}" for kind in _kinds_of(requester)])


def _used_by(
    holder: UUID, requester: Requester, at: datetime.datetime
) -> dict[str, dict[UUID, int]]:
    """Variant id → units that the customer and the address keep elsewhere, and the holder here."""
    customer_id, address = requester.customer_id, requester.address
    sums = [customer_id, holder, address, holder, holder]
    who = [customer_id, address, holder]
    variant_ids, *columns = rows.fetch_one(_USED, [*sums, at, *who])
    kinds = ("customer", "address", "holder")
    return {
        kind: dict(zip(variant_ids, column, strict=True))
        for kind, column in zip(kinds, columns, strict=True)
    }


def _kinds_of(requester: Requester) -> list[str]:
    """What is known of them; a request from no address counts for its customer alone."""
    kinds = {"customer": requester.customer_id is not None, "address": bool(requester.address)}
    return [kind for kind, is_known in kinds.items() if is_known]


def _limit_of(kind: str) -> HoldLimit:
    return HoldLimit(units=options.hold_units[kind], share_percent=options.hold_share_percent[kind])

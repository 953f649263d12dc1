"""The log of events: what was committed, in one order that no late commit changes.

An id or a sequence is handed out before the commit, so a reader that remembers "up to 7" never
sees a 6 that commits later. The log gives an event its position after its commit: whoever records
holds a lock, takes what is visible in the outbox, and numbers on. The next one starts after that
commit, so positions are dense and become visible in their order.
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from lavka.kernel import database
from lavka.kernel.models import Bookmark, OutboxEvent, RecordedEvent

# Sent when a transaction with events commits, and when events were recorded.
APPENDED, RECORDED = "lavka_outbox", "lavka_events"
BATCH = 1000

_MOVE = """
WITH taken AS (
    DELETE FROM kernel_outboxevent WHERE id = ANY (ARRAY(
        SELECT id FROM kernel_outboxevent ORDER BY arrival LIMIT %(limit)s
    ))
    RETURNING arrival, id, name, version, aggregate, payload, actor, occurred_at
), recorded AS (
    INSERT INTO kernel_recordedevent
        (position, event_id, name, version, aggregate, payload, actor, occurred_at)
    SELECT %(head)s + row_number() OVER (ORDER BY arrival),
           id, name, version, aggregate, payload, actor, occurred_at
    FROM taken
    RETURNING position
), head AS (
    UPDATE kernel_bookmark SET position = (SELECT max(position) FROM recorded)
    WHERE reader = 'recorded' AND EXISTS (SELECT FROM recorded)
)
SELECT count(*), pg_notify('lavka_events', '') FROM recorded
"""


def record_waiting() -> int:
    """Move committed events from the outbox to the end of the log; returns how many.

    Events of one aggregate keep the order in which they were appended, as long as their writers
    hold the aggregate's row when they append.
    Locks: the bookmark of the log, for one statement of at most 1,000 events at a time.
    """
    recorded = 0
    while OutboxEvent.objects.exists():
        moved = _record_batch()
        recorded += moved
        if moved < BATCH:
            break
    return recorded


@transaction.atomic
def _record_batch() -> int:
    head = bookmark(Bookmark.Reader.RECORDED)
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"limit": BATCH, "head": head.position})
        return int(cursor.fetchone()[0])


def bookmark(reader: Bookmark.Reader) -> Bookmark:
    """A reader's bookmark, locked until the caller's transaction ends."""
    Bookmark.objects.bulk_create([Bookmark(reader=reader)], ignore_conflicts=True)
    return Bookmark.objects.select_for_update(no_key=True).get(reader=reader)


def told_since(at: datetime.datetime, aggregates: Collection[UUID]) -> set[UUID]:
    """Those of `aggregates` that had an event after `at`."""
    wanted = {"aggregate__in": list(aggregates), "occurred_at__gt": at}
    return {
        aggregate
        for model in (OutboxEvent, RecordedEvent)
        for aggregate in model.objects.filter(**wanted).values_list("aggregate", flat=True)
    }


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the relay is behind: events that no broker has, and the age of the oldest.

    Beside them the messages that no worker could deal with.
    """

    events: float
    seconds: float
    dead_letters: float


_LAG = """
WITH marks AS (
    SELECT coalesce(max(position) FILTER (WHERE reader = 'recorded'), 0) AS recorded,
           coalesce(max(position) FILTER (WHERE reader = 'relayed'), 0) AS relayed
    FROM kernel_bookmark
)
SELECT recorded - relayed + (SELECT count(*) FROM kernel_outboxevent),
       coalesce(extract(epoch FROM now() - least(
           (SELECT min(occurred_at) FROM kernel_outboxevent),
           (SELECT occurred_at FROM kernel_recordedevent
            WHERE position > relayed ORDER BY position LIMIT 1)
       )), 0)::float8,
       (SELECT count(*) FROM kernel_deadletter)
FROM marks
"""


async def lag() -> Lag:
    """How far the relay is behind, for `/metrics`.

    Raises: Unavailable.
    """
    row = await database.fetch_one(_LAG)
    assert row is not None  # noqa: S101 - a query without a table of its own has one row
    return Lag(int(row[0]), max(float(row[1]), 0.0), int(row[2]))

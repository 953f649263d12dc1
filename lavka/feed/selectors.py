"""The log, read in its order: each event is JSON already when it leaves PostgreSQL."""

import json
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from lavka.feed.errors import AheadOfLog, EventsDropped
from lavka.kernel import database, log
from lavka.kernel.threads import in_thread

_AFTER = """
SELECT position, name, json_build_object(
    'position', position, 'id', event_id, 'name', name, 'version', version,
    'aggregate', aggregate,
    'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'actor', actor, 'payload', payload)
FROM kernel_recordedevent
WHERE position > %(after)s {named}
ORDER BY position LIMIT %(limit)s
"""
_ALL, _NAMED = _AFTER.format(named=""), _AFTER.format(named="AND name = %(name)s")
_BOUNDS = """
SELECT coalesce((SELECT min(position) FROM kernel_recordedevent), recorded + 1), recorded,
       EXISTS (SELECT FROM kernel_outboxevent)
FROM (SELECT coalesce(max(position), 0) AS recorded FROM kernel_bookmark
      WHERE reader = 'recorded') AS head
"""


class Event(NamedTuple):
    """One event; `json` is what the wire says of it."""

    position: int
    name: str
    json: bytes

    def told(self, withheld: Mapping[str, Container[str]]) -> bytes:
        """`json` without the fields that are withheld of events of this name."""
        left_out = withheld.get(self.name)
        if not left_out:
            return self.json
        event = json.loads(self.json)
        event["payload"] = {
            name: value for name, value in event["payload"].items() if name not in left_out
        }
        return json.dumps(event, separators=(",", ":")).encode()


class Bounds(NamedTuple):
    """The first position that is kept, and the last one that is given."""

    first: int
    last: int

    def require(self, after: int) -> None:
        """Refuse to read on from a position whose next events are gone, or never were.

        Raises: EventsDropped, with `oldest`; AheadOfLog, with `last`.
        """
        if after < self.first - 1:
            raise EventsDropped(oldest=self.first)
        if after > self.last:
            raise AheadOfLog(last=self.last)


async def bounds() -> Bounds:
    """Where the log begins and ends, after recording what was committed by now.

    Raises: Unavailable.
    """
    row = await database.fetch_one(_BOUNDS)
    if row is not None and row[2]:
        # No worker was quicker, or none runs.
        await in_thread(log.record_waiting)
        row = await database.fetch_one(_BOUNDS)
    assert row is not None  # noqa: S101 - an aggregate has one row
    return Bounds(int(row[0]), int(row[1]))


async def events_after(position: int, *, limit: int, name: str = "") -> Sequence[Event]:
    """Up to `limit` events beyond `position`, of one name or of all; raises Unavailable."""
    query = _NAMED if name else _ALL
    parameters = {"after": position, "limit": limit, "name": name}
    return [Event(*row) for row in await database.fetch_all(query, parameters)]

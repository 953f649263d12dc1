"""Events: facts that rooms tell each other, stored in the commit that made them true."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from itertools import batched
from typing import TYPE_CHECKING, ClassVar, Protocol
from uuid import UUID

from psycopg.types.json import Jsonb

from lavka.kernel import actors, clock, rows
from lavka.kernel.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact in the past tense; its fields are ids, numbers, states, counts and money.

    It names its own aggregate, and holds nothing of a person: whoever may know asks the API.
    Name and fields are a promise. A field may be added with a default; any other change is a new
    `version`, which readers find beside the name.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    # The Django permission to see what the event is about. Readers without it are told what every
    # event of the name has, its ids, and none of the fields that have a default.
    right: ClassVar[str] = ""

    @property
    def aggregate(self) -> UUID:
        """The id of what the event is about; events of one aggregate keep their order."""
        raise NotImplementedError


class Handler(Protocol):
    """The part of a Celery task that the relay needs."""

    name: str


_handlers: dict[str, list[Handler]] = defaultdict(list)


def subscribe(event: type[Event], task: Handler) -> None:
    """Run `task(event_id=…, actor=…, **fields)` at least once for every `event` ever published.

    What the task publishes names the event's actor too: `delivery.Task` sees to it.

    Called from a room's `handlers.py`, which is found when the apps are ready.
    """
    if task not in _handlers[event.name]:
        _handlers[event.name].append(task)


def handlers_of(name: str) -> list[Handler]:
    """The tasks that subscribed to the event of this name."""
    return _handlers[name]


_APPEND = """
INSERT INTO kernel_outboxevent (name, version, aggregate, payload, actor, occurred_at)
SELECT *, %s::jsonb, coalesce(%s::timestamptz, statement_timestamp())
FROM unnest(%s::text[], %s::int[], %s::uuid[], %s::jsonb[])
"""


def publish(*events: Event) -> None:
    """Append events to the outbox, in the name of whoever acts (`lavka.kernel.actors`).

    They exist if and only if the caller's transaction commits.
    """
    publish_all(events)


def publish_all(events: Iterable[Event]) -> None:
    """Append many events in few statements, as bulk writes do."""
    actor = Jsonb(actors.current().as_json())
    for batch in batched(events, 1000, strict=False):
        columns = [
            actor,
            clock.instant(),
            [event.name for event in batch],
            [event.version for event in batch],
            [event.aggregate for event in batch],
            [Jsonb(_payload(event)) for event in batch],
        ]
        rows.execute(_APPEND, columns)


def _payload(event: Event) -> dict[str, object]:
    return {each.name: _plain(getattr(event, each.name)) for each in fields(event)}


def _plain(value: object) -> object:
    match value:
        case UUID():
            return str(value)
        case Money():
            return value.as_json()
    return value

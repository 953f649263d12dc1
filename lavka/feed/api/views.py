"""Staff and other programs follow what happens in the shop."""

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import aclosing

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from lavka.feed import selectors
from lavka.feed.api.serializers import EventPageOutput
from lavka.feed.errors import AheadOfLog, EventsDropped
from lavka.feed.hub import hub
from lavka.feed.selectors import Event
from lavka.kernel import catalogue
from lavka.web import parameters
from lavka.web.answers import Ready
from lavka.web.parameters import number_parameter, text_parameter
from lavka.web.schema import operation
from lavka.web.views import StaffView

MAX_POSITION = 2**63 - 1
MAX_LIMIT, DEFAULT_LIMIT = 1000, 100
RETRY = b"retry: 2000\n\n"
HEARTBEAT = b": quiet\n\n"

AFTER = number_parameter(
    "after",
    "The position behind which to read; none reads from the first kept.",
    maximum=MAX_POSITION,
)
LIMIT = number_parameter(
    "limit", "Events per page.", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT
)
NAME = text_parameter("name", "Only events of this name.", max_length=100)
FROM = number_parameter(
    "after",
    "The position behind which to begin; none begins with what comes.",
    maximum=MAX_POSITION,
)
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    {"type": "integer", "minimum": 0, "maximum": MAX_POSITION},
    OpenApiParameter.HEADER,
    description="The position of the last event that was heard; stands over `after`.",
)
EXAMPLE = OpenApiExample(
    "One event",
    {
        "items": [
            {
                "position": 7,
                "id": "019ab7c1-6d4e-7c53-8f51-0f7c7c7a3a01",
                "name": "orders.order_placed",
                "version": 1,
                "aggregate": "019ab7c1-6d2f-7b0e-9a55-31a3f2a7d9c4",
                "occurred_at": "2026-11-25T04:15:55.123Z",
                "actor": {"kind": "guest", "id": None, "name": ""},
                "payload": {
                    "order_id": "019ab7c1-6d2f-7b0e-9a55-31a3f2a7d9c4",
                    "number": 1042,
                    "status": "placed",
                    "payment_status": "paid",
                    "total": {"amount": 12990, "currency": "EUR"},
                    "customer_id": None,
                    "line_count": 2,
                    "piece_count": 3,
                },
            }
        ],
        "next": 7,
        "has_more": False,
    },
    response_only=True,
)

WITHHELD = "Of what you, or the scopes of your key, may not read, the ids are told and no more."


class EventsView(StaffView):
    """The log, page by page."""

    rights = {"GET": "kernel.view_recordedevent"}

    @operation(
        "list_events",
        "Read events in the order in which they were recorded",
        description=(
            "Ask again with `after` set to `next`: no event is passed over, also none whose "
            "transaction committed late, and none comes twice. " + WITHHELD
        ),
        parameters=[AFTER, LIMIT, NAME],
        responses=EventPageOutput,
        errors=[EventsDropped, AheadOfLog],
        examples=[EXAMPLE],
    )
    async def get(self, request: Request) -> Ready:
        query = request.query_params
        limit = parameters.whole_number(query, "limit", minimum=1, maximum=MAX_LIMIT)
        bounds = await selectors.bounds()
        after = parameters.whole_number(query, "after", maximum=MAX_POSITION)
        after = bounds.first - 1 if after is None else after
        bounds.require(after)
        limit, name = limit or DEFAULT_LIMIT, query.get("name", "")
        found = await selectors.events_after(after, limit=limit + 1, name=name)
        withheld = catalogue.withheld(await self.held(catalogue.rights()))
        has_more = len(found) > limit
        return Ready(_page(found[:limit], withheld, after, bounds.last, has_more=has_more))


class EventStreamView(StaffView):
    """The log as it grows."""

    rights = {"GET": "kernel.view_recordedevent"}

    @operation(
        "stream_events",
        "Hear events as they are recorded (server-sent events)",
        description=(
            "Each event comes with its position as `id` and its name as `event`; a comment comes "
            "when it is quiet. A stream ends after five minutes, and within seconds once the key "
            "or session that opened it, or its right, is gone; connect again with `Last-Event-ID` "
            "and nothing is passed over. " + WITHHELD
        ),
        parameters=[FROM, NAME, LAST_EVENT_ID],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR, description="`id`, `event` and `data`, the event as JSON."
            )
        },
        errors=[EventsDropped, AheadOfLog],
    )
    async def get(self, request: Request) -> StreamingHttpResponse:
        query = request.query_params.copy()
        if heard := request.headers.get("Last-Event-ID"):
            query["after"] = heard
        bounds = await selectors.bounds()
        after = parameters.whole_number(query, "after", maximum=MAX_POSITION)
        after = bounds.last if after is None else after
        bounds.require(after)
        hub().require_room()
        self.withheld = catalogue.withheld(await self.held(catalogue.rights()))
        return StreamingHttpResponse(
            self._stream(after, query.get("name", "")),
            content_type="text/event-stream; charset=utf-8",
            # nginx passes each event on at once.
            headers={"X-Accel-Buffering": "no"},
        )

    async def is_still_authorized(self) -> bool:
        """Also look again at what the listener may be told."""
        if not await super().is_still_authorized():
            return False
        self.withheld = catalogue.withheld(await self.held(catalogue.rights()))
        return True

    async def _stream(self, after: int, name: str) -> AsyncIterator[bytes]:
        yield RETRY
        heard = hub().stream(after=after, name=name, is_allowed=self.is_still_authorized)
        async with aclosing(heard) as events:
            async for event in events:
                if event is None:
                    yield HEARTBEAT
                else:
                    told = (event.position, event.name.encode(), event.told(self.withheld))
                    yield b"id: %d\nevent: %b\ndata: %b\n\n" % told


def _page(
    events: Sequence[Event],
    withheld: Mapping[str, Container[str]],
    after: int,
    last: int,
    *,
    has_more: bool,
) -> bytes:
    """With nothing more to come, a reader may go on from the end of the log as it was before."""
    behind = events[-1].position if events else after
    place = behind if has_more else max(behind, last)
    items = b",".join(event.told(withheld) for event in events)
    more = b"true" if has_more else b"false"
    return b'{"items":[%b],"next":%d,"has_more":%b}' % (items, place, more)

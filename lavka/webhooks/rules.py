"""What is told to whom, how it reads, and when it is tried again."""

import datetime
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from lavka.accounts import events as accounts
from lavka.catalog import events as catalog
from lavka.fulfilment import events as fulfilment
from lavka.inventory import events as inventory
from lavka.kernel import catalogue
from lavka.kernel.actors import Actor
from lavka.kernel.events import Event
from lavka.orders import events as orders
from lavka.payments import events as payments
from lavka.reviews import events as reviews

# What other programs may know; the rest is between the rooms.
TOLD: Sequence[type[Event]] = (
    accounts.CustomerRegistered,
    accounts.AccountClosed,
    catalog.ProductChanged,
    catalog.CategoryChanged,
    inventory.StockRanLow,
    inventory.StockRanOut,
    inventory.StockCameBack,
    orders.OrderPlaced,
    orders.OrderEdited,
    orders.OrderCancelled,
    orders.OrderFulfilled,
    orders.OrderCompleted,
    payments.PaymentAuthorised,
    payments.PaymentCaptured,
    payments.PaymentFailed,
    payments.PaymentVoided,
    payments.PaymentRefunded,
    fulfilment.ShipmentSent,
    fulfilment.ReturnChanged,
    reviews.ReviewChanged,
)
NAMES = [event.name for event in TOLD]
PING = "webhooks.ping"
# Who has a program told of these events may read what they are about.
RIGHT_OF = {event.name: event.right for event in TOLD}
RIGHTS = frozenset(right for right in RIGHT_OF.values() if right)

MAX_BODY_BYTES = 20_000
# Source: Standard Webhooks 1.0, "Deliverability and reliability"; three days in all.
PAUSES = [
    datetime.timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
]
JITTER = 0.2
LONGEST_WAIT = datetime.timedelta(days=1)
NO_PAUSE = datetime.timedelta(0)
MAX_RETRY_AFTER = 100
# Failures in a row that open an endpoint's circuit, and how long it then stays open.
FAILURES_TO_OPEN = 5
OPEN_FIRST, OPEN_LONGEST = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
MOST_DOUBLINGS = 10
GONE = 410


class EndpointStatus(TextChoices):
    """Whether an endpoint is told anything; one that is GONE said so itself, with 410."""

    ENABLED = "enabled", _("enabled")
    DISABLED = "disabled", _("disabled")
    GONE = "gone", _("gone (410)")


class DeliveryStatus(TextChoices):
    """Where a delivery stands; any of the last three may be replayed."""

    PENDING = "pending", _("under way")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")
    CANCELLED = "cancelled", _("called off")


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt ended.

    `status_code` is None when no answer came, and `error` then says why; `excerpt` is the start of
    what was answered, `retry_after` the header as it came.
    """

    status_code: int | None
    duration: datetime.timedelta
    error: str = ""
    excerpt: str = ""
    retry_after: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took it: any 2xx, and nothing else, a redirect neither."""
        return self.status_code is not None and 200 <= self.status_code < 300


def rights_for(events: Sequence[str]) -> frozenset[str]:
    """What it takes to have a program told of the events of these names, of all when none is."""
    return frozenset(
        right for name, right in RIGHT_OF.items() if right and (not events or name in events)
    )


def is_readable(name: str, held: Container[str] | None) -> bool:
    """Whether a program may be told of it for somebody with these rights; None: no staff any more.

    A ping says nothing.
    """
    right = RIGHT_OF.get(name, "")
    return name == PING or (held is not None and (not right or right in held))


def body_of(
    *,
    name: str,
    version: int = 1,
    occurred_at: datetime.datetime,
    actor: Actor,
    aggregate: UUID,
    payload: Mapping[str, Any],
) -> dict[str, Any]:
    """What is sent of an event; the receiver asks the API about what its ids name.

    An event too long for `MAX_BODY_BYTES` is told by the id of its aggregate alone.
    """
    body = {
        "type": name,
        "version": version,
        "timestamp": occurred_at.isoformat(),
        "actor": actor.as_json(),
        "data": dict(payload),
    }
    if len(encoded(body)) >= MAX_BODY_BYTES:
        body["data"] = {"id": str(aggregate)}
    return body


def told_of(name: str, body: Mapping[str, Any], held: Container[str]) -> dict[str, Any]:
    """What a delivery holds, for a reader with these rights; only its receiver is told all."""
    return dict(body) | {"data": catalogue.told(name, body["data"], held)}


def encoded(body: Mapping[str, Any]) -> bytes:
    """The very bytes that are signed and sent."""
    return json.dumps(body, separators=(",", ":"), sort_keys=True).encode()


def next_attempt_at(
    answer: Answer, *, tries: int, at: datetime.datetime, luck: float
) -> datetime.datetime | None:
    """When to try again after `tries` failures, at least one; None when it is time to give up.

    `luck`, from 0 to 1, spreads the pause by `JITTER`; `Retry-After` can only make it longer.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + JITTER * (2 * luck - 1))
    return at + max(pause, asked_pause(answer.retry_after, at=at))


def open_until(failures: int, answer: Answer, *, at: datetime.datetime) -> datetime.datetime | None:
    """Until when an endpoint is left alone after so many failures in a row; None to go on.

    `Retry-After` speaks for the whole endpoint, not for one delivery.
    """
    pause = asked_pause(answer.retry_after, at=at)
    if failures >= FAILURES_TO_OPEN:
        doublings = min(failures - FAILURES_TO_OPEN, MOST_DOUBLINGS)
        pause = max(pause, min(OPEN_FIRST * 2**doublings, OPEN_LONGEST))
    return at + pause if pause else None


def asked_pause(retry_after: str, *, at: datetime.datetime) -> datetime.timedelta:
    """What `Retry-After` asks for, up to `LONGEST_WAIT`; nothing when it makes no sense.

    Source: RFC 9110, 10.2.3.
    """
    text = retry_after.strip()[:MAX_RETRY_AFTER]
    if text.isascii() and text.isdigit():
        return min(datetime.timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        if until.tzinfo is None:
            until = until.replace(tzinfo=datetime.UTC)
        return min(max(until - at, NO_PAUSE), LONGEST_WAIT)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        return NO_PAUSE

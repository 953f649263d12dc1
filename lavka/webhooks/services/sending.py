"""Who sends a delivery, and what becomes of it."""

import datetime
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from lavka.kernel.plain_text import storable
from lavka.kernel.security_log import SecurityEvent
from lavka.webhooks import rules
from lavka.webhooks.models import EXCERPT_CHARACTERS, Attempt, Delivery, Endpoint, SigningKey
from lavka.webhooks.rules import Answer, DeliveryStatus, EndpointStatus
from lavka.webhooks.services.deliveries import cancel, cancel_pending, note_withheld
from lavka.webhooks.services.log import log_endpoint

# How many deliveries to one endpoint may be on their way at once: a slow one holds no more.
IN_FLIGHT = 4
# Longer than any attempt takes: by then whoever claimed the delivery is gone.
LEASE = datetime.timedelta(minutes=2)
ERROR_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that its holder is to send now, with the keys that sign it."""

    delivery: Delivery
    url: str
    keys: list[SigningKey]


@transaction.atomic
def claim_deliveries(*, endpoint_id: UUID, at: datetime.datetime) -> list[Claim]:
    """Take an endpoint's due deliveries, the oldest first, for `LEASE`; nobody else gets them.

    No more than `IN_FLIGHT` are on their way at once, and one only after so many failures that the
    circuit had opened: the probe. What the endpoint's owner may not read by now is called off.
    Locks: the endpoint, whose row stands for the queue of its deliveries.
    """
    callable_ones = Endpoint.objects.callable(at).with_owner_rights()
    endpoint = callable_ones.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        return []
    deliveries = Delivery.objects.filter(endpoint=endpoint)
    limit = 1 if endpoint.failures >= rules.FAILURES_TO_OPEN else IN_FLIGHT
    withheld = [name for name in rules.NAMES if endpoint.withholds(name)]
    if withheld and cancel(deliveries.due(at).filter(event_name__in=withheld), at=at):
        note_withheld([endpoint], at=at)
    room = max(limit - deliveries.in_flight(at).count(), 0)
    claimed = list(deliveries.due(at).order_by("next_attempt_at", "pk")[:room])
    deliveries.filter(pk__in=[each.pk for each in claimed]).update(claimed_until=at + LEASE)
    valid = SigningKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=at), endpoint=endpoint)
    keys = list(valid.order_by("-pk")) if claimed else []
    return [Claim(delivery, endpoint.url, keys) for delivery in claimed]


@transaction.atomic
def record_attempt(
    *, delivery_id: UUID, answer: Answer, started_at: datetime.datetime, luck: float
) -> None:
    """Log an attempt and decide what follows from its answer.

    A delivery that was deleted or called off meanwhile stays so. `luck`, from 0 to 1, spreads the
    pause before the next attempt.
    Locks: the endpoint.
    """
    locked = Endpoint.objects.select_for_update(of=("self",), no_key=True)
    endpoint = locked.filter(deliveries=delivery_id).first()
    if endpoint is None:
        return
    Attempt.objects.create(
        delivery_id=delivery_id,
        started_at=started_at,
        duration=answer.duration,
        status_code=answer.status_code,
        error=storable(answer.error, ERROR_CHARACTERS),
        excerpt=storable(answer.excerpt, EXCERPT_CHARACTERS),
    )
    at = started_at + answer.duration
    delivery = Delivery.objects.get(pk=delivery_id)
    if delivery.status == DeliveryStatus.PENDING:
        _settle(delivery, answer, at=at, luck=luck)
    _judge(endpoint, answer, at=at)


def _settle(delivery: Delivery, answer: Answer, *, at: datetime.datetime, luck: float) -> None:
    delivery.tries += 1
    delivery.claimed_until = None
    if answer.is_accepted:
        delivery.status, delivery.next_attempt_at = DeliveryStatus.DELIVERED, None
    elif answer.status_code == rules.GONE:
        delivery.status, delivery.next_attempt_at = DeliveryStatus.FAILED, None
    else:
        again_at = rules.next_attempt_at(answer, tries=delivery.tries, at=at, luck=luck)
        delivery.next_attempt_at = again_at
        delivery.status = DeliveryStatus.FAILED if again_at is None else DeliveryStatus.PENDING
    delivery.finished_at = None if delivery.next_attempt_at else at
    delivery.save()


def _judge(endpoint: Endpoint, answer: Answer, *, at: datetime.datetime) -> None:
    """Count a failure or forget them all; whoever says 410 is asked no more."""
    if answer.is_accepted:
        endpoint.failures, endpoint.open_until = 0, None
    else:
        endpoint.failures += 1
        endpoint.open_until = rules.open_until(endpoint.failures, answer, at=at)
    if answer.status_code == rules.GONE and endpoint.status == EndpointStatus.ENABLED:
        endpoint.status = EndpointStatus.GONE
        cancel_pending(endpoint, at=at)
        changed = SecurityEvent.WEBHOOK_ENDPOINT_CHANGED
        log_endpoint(changed, endpoint, url=endpoint.url, changed=["status"])
    endpoint.save()

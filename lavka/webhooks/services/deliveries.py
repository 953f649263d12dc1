"""What is to be delivered: events, pings and replays."""

import datetime
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from lavka.kernel import actors
from lavka.kernel.models import RecordedEvent
from lavka.webhooks import rules
from lavka.webhooks.errors import DeliveryUnderWay, EndpointDisabled
from lavka.webhooks.models import Delivery, Endpoint
from lavka.webhooks.rules import DeliveryStatus

PURGE_BATCH = 10_000


@transaction.atomic
def tell_endpoints(*, event_id: UUID, at: datetime.datetime) -> list[UUID]:
    """Make an event's delivery for each endpoint that listens, once however often this is called.

    Returns the endpoints; none for an event that the log has dropped by now.
    Locks: those endpoints, in the order of ids, so that none is disabled meanwhile.
    """
    event = RecordedEvent.objects.filter(event_id=event_id).first()
    if event is None:
        return []
    listening = Endpoint.objects.listening_to(event.name)
    endpoints = list(listening.select_for_update(no_key=True).order_by("pk"))
    body = rules.body_of(
        name=event.name,
        version=event.version,
        occurred_at=event.occurred_at,
        actor=event.actor,
        aggregate=event.aggregate,
        payload=event.payload,
    )
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint=endpoint,
                event_id=event_id,
                event_name=event.name,
                body=body,
                next_attempt_at=at,
            )
            for endpoint in endpoints
        ],
        ignore_conflicts=True,
    )
    return [endpoint.pk for endpoint in endpoints]


@transaction.atomic
def ping_endpoint(*, endpoint_id: UUID, at: datetime.datetime) -> Delivery:
    """Send an endpoint a message that says nothing, to see whether it answers.

    Raises: Endpoint.DoesNotExist; EndpointDisabled. Locks: the endpoint.
    """
    endpoint = _lock_enabled(endpoint_id)
    body = rules.body_of(
        name=rules.PING,
        occurred_at=at,
        actor=actors.current(),
        aggregate=endpoint_id,
        payload={"endpoint_id": str(endpoint_id)},
    )
    return Delivery.objects.create(
        endpoint=endpoint, event_id=uuid4(), event_name=rules.PING, body=body, next_attempt_at=at
    )


@transaction.atomic
def replay_delivery(*, delivery_id: UUID, at: datetime.datetime) -> Delivery:
    """Send what was delivered, given up or called off once more, under the same `webhook-id`.

    Raises: Delivery.DoesNotExist; DeliveryUnderWay; EndpointDisabled. Locks: the endpoint.
    """
    delivery = Delivery.objects.get(pk=delivery_id)
    _lock_enabled(delivery.endpoint_id)
    if not _replay(Delivery.objects.filter(pk=delivery_id), at):
        raise DeliveryUnderWay
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_deliveries(
    *,
    endpoint_id: UUID,
    since: datetime.datetime,
    until: datetime.datetime,
    statuses: Collection[str],
    at: datetime.datetime,
) -> int:
    """Send again what was made from `since` to before `until` and ended so; returns how many.

    Raises: Endpoint.DoesNotExist; EndpointDisabled. Locks: the endpoint.
    """
    _lock_enabled(endpoint_id)
    made = Delivery.objects.filter(
        endpoint_id=endpoint_id,
        status__in=statuses,
        created_at__gte=since,
        created_at__lt=until,
    )
    return _replay(made, at)


def cancel_pending(endpoint: Endpoint, *, at: datetime.datetime) -> None:
    """Call off what is under way to an endpoint that the caller holds locked."""
    Delivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.CANCELLED, next_attempt_at=None, claimed_until=None, finished_at=at
    )


@transaction.atomic
def purge_deliveries(*, before: datetime.datetime) -> int:
    """Forget up to `PURGE_BATCH` deliveries that ended before, with their attempts."""
    ended = Delivery.objects.filter(finished_at__lt=before).values("pk")[:PURGE_BATCH]
    return Delivery.objects.filter(pk__in=ended).delete()[1].get("webhooks.Delivery", 0)


def _lock_enabled(endpoint_id: UUID) -> Endpoint:
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    if endpoint.status != rules.EndpointStatus.ENABLED:
        raise EndpointDisabled
    return endpoint


def _replay(deliveries: QuerySet[Delivery, Any], at: datetime.datetime) -> int:
    return deliveries.exclude(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.PENDING, tries=0, next_attempt_at=at, finished_at=None
    )

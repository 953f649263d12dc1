"""What is to be delivered: events, pings and replays."""

import datetime
from collections.abc import Collection, Container, Iterable
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from lavka.kernel import actors
from lavka.kernel.errors import Denied
from lavka.kernel.models import RecordedEvent
from lavka.kernel.security_log import SecurityEvent
from lavka.webhooks import rules
from lavka.webhooks.errors import DeliveryUnderWay, DeliveryWithheld, EndpointDisabled
from lavka.webhooks.models import Delivery, Endpoint
from lavka.webhooks.rules import RIGHTS, DeliveryStatus
from lavka.webhooks.services.log import log_endpoint

PURGE_BATCH = 10_000


@transaction.atomic
def tell_endpoints(*, event_id: UUID, at: datetime.datetime) -> list[UUID]:
    """Make an event's delivery for each endpoint that listens, once however often this is called.

    Returns the endpoints; none for an event that the log has dropped by now, and not those whose
    owner may not read it.
    Locks: those endpoints, in the order of ids, so that none is disabled meanwhile.
    """
    event = RecordedEvent.objects.filter(event_id=event_id).first()
    if event is None:
        return []
    listening = Endpoint.objects.listening_to(event.name).with_owner_rights()
    locked = list(listening.select_for_update(no_key=True).order_by("pk"))
    endpoints = [each for each in locked if not each.withholds(event.name)]
    note_withheld([each for each in locked if each.withholds(event.name)], at=at)
    _note_resumed(endpoints)
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
def replay_delivery(
    *, delivery_id: UUID, at: datetime.datetime, held: Container[str] = RIGHTS
) -> Delivery:
    """Send what was delivered, given up or called off once more, under the same `webhook-id`.

    `held` are the rights of who wants it. Raises: Delivery.DoesNotExist; Denied, for an event about
    what they may not read; DeliveryWithheld, for one that the endpoint's owner may not read;
    DeliveryUnderWay; EndpointDisabled. Locks: the endpoint.
    """
    delivery = Delivery.objects.get(pk=delivery_id)
    if not rules.is_readable(delivery.event_name, held):
        raise Denied
    if _lock_enabled(delivery.endpoint_id).withholds(delivery.event_name):
        raise DeliveryWithheld
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
    held: Container[str] = RIGHTS,
) -> int:
    """Send again what was made from `since` to before `until` and ended so; returns how many.

    What the endpoint's owner may not read by now is left out. `held` are the rights of who wants
    it. Raises: Endpoint.DoesNotExist; Denied, for events about what they may not read;
    EndpointDisabled. Locks: the endpoint.
    """
    endpoint = _lock_enabled(endpoint_id)
    made = Delivery.objects.filter(
        endpoint_id=endpoint_id,
        status__in=statuses,
        created_at__gte=since,
        created_at__lt=until,
    ).exclude(event_name__in=[name for name in rules.NAMES if endpoint.withholds(name)])
    if made.filter(event_name__in=_unreadable(held)).exists():
        raise Denied
    return _replay(made, at)


def cancel_pending(endpoint: Endpoint, *, at: datetime.datetime) -> None:
    """Call off what is under way to an endpoint that the caller holds locked."""
    cancel(Delivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING), at=at)


def cancel(pending: QuerySet[Delivery, Any], *, at: datetime.datetime) -> int:
    """Call off deliveries of endpoints that the caller holds locked; returns how many."""
    return pending.update(
        status=DeliveryStatus.CANCELLED, next_attempt_at=None, claimed_until=None, finished_at=at
    )


def note_withheld(endpoints: Iterable[Endpoint], *, at: datetime.datetime) -> None:
    """Log that endpoints are not sent what their owners may not read, once while that is so.

    The caller holds them locked, with their owners' rights.
    """
    first = [each for each in endpoints if each.withheld_at is None]
    for endpoint in first:
        log_endpoint(
            SecurityEvent.WEBHOOK_EVENTS_WITHHELD,
            endpoint,
            owner=endpoint.owner_id,
            events=endpoint.withheld_events,
        )
    if first:
        ids = [each.pk for each in first]
        Endpoint.objects.filter(pk__in=ids).update(withheld_at=at)


@transaction.atomic
def purge_deliveries(*, before: datetime.datetime) -> int:
    """Forget up to `PURGE_BATCH` deliveries that ended before, with their attempts."""
    ended = Delivery.objects.filter(finished_at__lt=before).values("pk")[:PURGE_BATCH]
    return Delivery.objects.filter(pk__in=ended).delete()[1].get("webhooks.Delivery", 0)


def _lock_enabled(endpoint_id: UUID) -> Endpoint:
    locked = Endpoint.objects.select_for_update(no_key=True).with_owner_rights()
    endpoint = locked.get(pk=endpoint_id)
    if endpoint.status != rules.EndpointStatus.ENABLED:
        raise EndpointDisabled
    return endpoint


def _note_resumed(endpoints: Iterable[Endpoint]) -> None:
    resumed = [each.pk for each in endpoints if each.withheld_at and not each.withheld_events]
    if resumed:
        Endpoint.objects.filter(pk__in=resumed).update(withheld_at=None)


def _unreadable(held: Container[str]) -> list[str]:
    return [name for name in rules.NAMES if not rules.is_readable(name, held)]


def _replay(deliveries: QuerySet[Delivery, Any], at: datetime.datetime) -> int:
    return deliveries.exclude(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.PENDING, tries=0, next_attempt_at=at, finished_at=None
    )

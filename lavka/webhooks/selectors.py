"""How endpoints and deliveries are read."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, Exists, OuterRef, Prefetch, QuerySet

from lavka.webhooks.models import Attempt, Delivery, Endpoint, SigningKey


def endpoints() -> QuerySet[Endpoint]:
    """Every endpoint with its keys and its owner's rights: 2 queries."""
    keys = SigningKey.objects.order_by("-pk").fetch_mode(FETCH_RAISE)
    found = Endpoint.objects.with_owner_rights().prefetch_related(Prefetch("keys", keys))
    return found.fetch_mode(FETCH_RAISE)


def deliveries(
    *, endpoint_id: UUID | None = None, status: str = "", event: str = ""
) -> QuerySet[Delivery]:
    """Deliveries, without their attempts; each filter may be left out."""
    wanted = Delivery.objects.all().fetch_mode(FETCH_RAISE)
    if endpoint_id is not None:
        wanted = wanted.filter(endpoint_id=endpoint_id)
    if status:
        wanted = wanted.filter(status=status)
    return wanted.filter(event_name=event) if event else wanted


def with_attempts() -> QuerySet[Delivery]:
    """Deliveries with their attempts, oldest first: 2 queries."""
    attempts = Attempt.objects.order_by("pk").fetch_mode(FETCH_RAISE)
    return Delivery.objects.prefetch_related(Prefetch("attempts", attempts)).fetch_mode(FETCH_RAISE)


def endpoints_with_work(at: datetime.datetime) -> QuerySet[Endpoint]:
    """Endpoints that may be called and have a delivery whose turn has come."""
    due = Delivery.objects.due(at).filter(endpoint=OuterRef("pk"))
    return Endpoint.objects.callable(at).filter(Exists(due))

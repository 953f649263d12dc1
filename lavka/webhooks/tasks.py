"""What Celery runs for webhooks."""

import datetime
import logging
from collections.abc import Collection
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.kernel import broker
from lavka.webhooks import flows, selectors, services

logger = logging.getLogger(__name__)

# A task ends well before its soft time limit; what is left waits for the next one.
BUSY = datetime.timedelta(seconds=45)
KEEP = datetime.timedelta(days=30)


@shared_task(name="webhooks.tell_endpoints")
def tell_endpoints(*, event_id: str, **_: object) -> None:
    """Make an event's deliveries and start sending them; a second time makes none."""
    _start_sending(services.tell_endpoints(event_id=UUID(event_id), at=timezone.now()))


@shared_task(name="webhooks.deliver")
def deliver(*, endpoint_id: str, **_: object) -> None:
    """Send what is due to one endpoint."""
    flows.deliver(endpoint_id=UUID(endpoint_id), until=timezone.now() + BUSY)


@shared_task(name="webhooks.deliver_due")
def deliver_due(**_: object) -> int:
    """Start sending wherever something is due: retries, pings, replays, and what a crash left."""
    due = selectors.endpoints_with_work(timezone.now()).values_list("pk", flat=True)
    _start_sending(due)
    return len(due)


def _start_sending(endpoint_ids: Collection[UUID]) -> None:
    """What the broker does not take now, `deliver_due` starts: the deliveries are rows."""
    try:
        for endpoint_id in endpoint_ids:
            deliver.delay(endpoint_id=str(endpoint_id))
    except broker.FAULTS as fault:
        logger.warning("webhooks wait for the broker: %s", fault)


@shared_task(name="webhooks.purge_deliveries")
def purge_deliveries(**_: object) -> None:
    """Forget what ended a month ago."""
    while services.purge_deliveries(before=timezone.now() - KEEP):
        continue

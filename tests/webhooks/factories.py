"""Endpoints and events for tests."""

import uuid
from typing import Any
from uuid import UUID

from django.utils import timezone

from lavka.kernel import events, log
from lavka.kernel.models import RecordedEvent
from lavka.orders.events import OrderPlaced
from lavka.webhooks import services, tasks
from lavka.webhooks.models import Attempt, Delivery, Endpoint
from tests.imports.web_server import Web


def make_endpoint(url: str = "https://shop.example/hooks", **overrides: Any) -> Endpoint:
    fields: dict[str, Any] = {"name": "Warehouse", "url": url, "events": []}
    return services.create_endpoint(**fields | overrides)[0]


def listening(web: Web, path: str = "/hooks") -> Endpoint:
    """An endpoint at a page of the test's own server."""
    return make_endpoint(web.url(path, "127.0.0.1"))


def make_event(event: events.Event | None = None) -> UUID:
    """An event in the log: its id."""
    events.publish(event or OrderPlaced(order_id=uuid.uuid4()))
    log.record_waiting()
    return RecordedEvent.objects.latest("position").event_id


def make_delivery(endpoint: Endpoint) -> Delivery:
    """What an order that was placed right now comes to."""
    event_id = make_event()
    services.tell_endpoints(event_id=event_id, at=timezone.now())
    return Delivery.objects.get(endpoint=endpoint, event_id=event_id)


def deliver(endpoint: Endpoint) -> None:
    """Send what is due."""
    tasks.deliver(endpoint_id=str(endpoint.pk))


def sent(web: Web, path: str) -> tuple[Delivery, Attempt, Endpoint]:
    """A delivery to that page, after one attempt."""
    endpoint = listening(web, path)
    delivery = make_delivery(endpoint)
    deliver(endpoint)
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    return delivery, delivery.attempts.get(), endpoint

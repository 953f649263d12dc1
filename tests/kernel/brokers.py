"""What lies in the queues of a real broker, and what writes events beside it."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app
from kombu import Connection

from lavka.kernel import log, queues
from lavka.kernel.broker import Publisher
from lavka.kernel.models import Bookmark, OutboxEvent, RecordedEvent
from tests.e2e.rabbitmq import RabbitMQ


def url_of(node: RabbitMQ) -> str:
    return f"amqp://{node.user}:{node.password}@{node.host}:{node.port}//"


@contextmanager
def publisher(node: RabbitMQ) -> Iterator[Publisher]:
    with Connection(url_of(node)) as opened:
        yield Publisher(opened)


def received(node: RabbitMQ) -> list[tuple[str, dict[str, Any]]]:
    """Task names and keyword arguments of all messages in all queues, which are emptied."""
    found = []
    with Connection(url_of(node)) as opened:
        channel = opened.channel()
        queues.DEAD(channel).declare()
        for queue in current_app.amqp.queues.values():
            queue(channel).declare()
            while message := channel.basic_get(queue.name, no_ack=True):
                _, kwargs, _ = json.loads(message.body)
                found.append((message.headers["task"], kwargs))
    return found


def append(number: int, name: str, aggregate: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Append `number` events to the outbox and record them; returns their ids."""
    events = OutboxEvent.objects.bulk_create(
        OutboxEvent(name=name, aggregate=aggregate or uuid.uuid4(), payload={"n": n})
        for n in range(number)
    )
    log.record_waiting()
    return [event.pk for event in events]


def waiting() -> int:
    """How many recorded events no broker has confirmed yet."""
    relayed = Bookmark.objects.filter(reader="relayed").first()
    return RecordedEvent.objects.filter(position__gt=relayed.position if relayed else 0).count()


@pytest.fixture
def node(rabbitmq: RabbitMQ) -> RabbitMQ:
    received(rabbitmq)
    return rabbitmq

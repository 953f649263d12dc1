"""The relay on a real RabbitMQ: at least once, in order, nothing passed over unconfirmed."""

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import amqp
import pytest
from asgiref.sync import async_to_sync
from celery import current_app, shared_task
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from kombu import Connection

from lavka.kernel import broker, events, log, relay
from lavka.kernel.models import Bookmark, RecordedEvent
from tests.e2e.rabbitmq import RabbitMQ
from tests.kernel.brokers import append, node, publisher, received, url_of, waiting

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["node"]

NAME = "tests.thing_moved"


@shared_task(name="tests.first_task")
def first_task(**_: object) -> None: ...


@shared_task(name="tests.second_task")
def second_task(**_: object) -> None: ...


@pytest.fixture(autouse=True)
def subscribed() -> Iterator[None]:
    events.handlers_of(NAME).extend([first_task, second_task])
    yield
    events.handlers_of(NAME).clear()


def numbers(node: RabbitMQ, task: str = "tests.first_task") -> list[int]:
    return [kwargs["n"] for name, kwargs in received(node) if name == task]


def test_every_handler_gets_every_event_with_its_id(node: RabbitMQ):
    (event_id,) = append(1, NAME)

    with publisher(node) as opened:
        sent = relay.relay_batch(opened)

    assert (sent, waiting()) == (1, 0)
    unknown = {"kind": "system", "id": None, "name": ""}
    expected = {"n": 0, "event_id": str(event_id), "actor": unknown}
    assert received(node) == [("tests.first_task", expected), ("tests.second_task", expected)]


def test_a_message_is_the_one_that_celery_sends(node: RabbitMQ):
    arguments = {"n": 7, "event_id": "01a20adc-bec6-7edd-9eea-85eaf4679678"}

    with publisher(node) as opened:
        with opened.batch():
            opened.send("tests.first_task", task_id="same", arguments=arguments)
        first_task.apply_async(kwargs=arguments, task_id="same", producer=opened.producer)
        mine, its = (opened.channel.basic_get("lavka.default", no_ack=True) for _ in range(2))

    assert mine.properties["delivery_mode"] == 2
    # How long a task may take is known to its worker, and nobody waits for a result.
    headers = its.headers | {"timelimit": [None, None]}
    assert mine.properties == its.properties | {"application_headers": headers, "reply_to": ""}
    assert json.loads(mine.body) == json.loads(its.body)


def test_batches_follow_the_log(node: RabbitMQ):
    append(5, NAME)

    with publisher(node) as opened:
        first = relay.relay_batch(opened, size=3), numbers(node), waiting()
        second = relay.relay_batch(opened, size=3), numbers(node), waiting()

    assert (first, second) == ((3, [0, 1, 2], 2), (2, [3, 4], 0))


def test_an_event_without_handlers_is_passed_over_and_sent_nowhere(node: RabbitMQ):
    append(1, "tests.nobody_listens")

    with publisher(node) as opened:
        assert relay.relay_batch(opened) == 1

    assert (waiting(), received(node)) == (0, [])


def test_a_broker_that_fails_halfway_gets_the_batch_again(node: RabbitMQ):
    append(4, NAME)

    with publisher(node) as opened:
        send, sent = opened.producer.publish, []

        def cut_before_the_fourth(*arguments: Any, **options: Any) -> Any:
            if len(sent) == 3:
                opened.connection.close()
                raise ConnectionResetError
            sent.append(1)
            return send(*arguments, **options)

        opened.producer.publish = cut_before_the_fourth
        with pytest.raises(broker.FAULTS):
            relay.relay_batch(opened)

    assert waiting() == 4
    with publisher(node) as opened:
        relay.relay_batch(opened)
    counted = Counter(numbers(node))
    assert waiting() == 0
    assert set(counted) == {0, 1, 2, 3}
    assert max(counted.values()) <= 2


def test_a_message_that_reaches_no_queue_is_not_passed_over(node: RabbitMQ):
    append(1, NAME)

    with publisher(node) as opened:
        relay.relay_batch(opened, size=1)
        received(node)
        append(1, NAME)
        with Connection(url_of(node)) as other:
            other.channel().queue_delete("lavka.default")
        with pytest.raises(amqp.exceptions.MessageNacked, match=r"no queue for /lavka\.default"):
            relay.relay_batch(opened)

    assert waiting() == 1
    with publisher(node) as opened:
        relay.relay_batch(opened)
    assert (waiting(), numbers(node)) == (0, [0])


def test_a_killed_relay_sends_again_and_loses_nothing(node: RabbitMQ):
    """Killed for real, by the signal, after the broker's confirm and before the commit."""
    append(3, NAME)
    settings = connection.settings_dict
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_COMMIT],
        env={**os.environ, **node.variables, "POSTGRES_DB": settings["NAME"]},
        check=False,
        capture_output=True,
        timeout=60,
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert waiting() == 3
    with publisher(node) as opened:
        relay.relay_batch(opened)
    assert waiting() == 0
    assert Counter(numbers(node)) == {0: 2, 1: 2, 2: 2}


KILLED_BEFORE_COMMIT = """
import contextlib, os, signal
import config, django
django.setup()
from celery import current_app
from lavka.kernel import broker, events, relay
events.handlers_of("tests.thing_moved").append(current_app.signature("tests.first_task"))
batch = broker.Publisher.batch
@contextlib.contextmanager
def confirm_and_die(self):
    with batch(self):
        yield
    os.kill(os.getpid(), signal.SIGKILL)
broker.Publisher.batch = confirm_and_die
with broker.publishing() as publisher:
    relay.relay_batch(publisher)
"""


def test_three_relays_send_each_event_once_and_in_order(node: RabbitMQ):
    things = [uuid.uuid4() for _ in range(3)]
    for number in range(60):
        append(1, NAME, things[number % 3])
    barrier = threading.Barrier(3)

    def run() -> None:
        try:
            with publisher(node) as opened:
                barrier.wait(10)
                while waiting():
                    relay.relay_batch(opened, size=5)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    ids = [kwargs["event_id"] for name, kwargs in received(node) if name == "tests.first_task"]
    positions = [positions_by_id()[event_id] for event_id in ids]
    assert positions == sorted(positions)
    assert len(positions) == 60
    assert waiting() == 0


def positions_by_id() -> dict[str, int]:
    rows = RecordedEvent.objects.values_list("event_id", "position")
    return {str(event_id): position for event_id, position in rows}


def test_a_broker_that_lost_its_messages_gets_those_of_the_last_day_again(node: RabbitMQ):
    append(2, NAME)
    append(3, NAME)
    at = RecordedEvent.objects.latest("position").recorded_at + relay.RECALLED
    with publisher(node) as opened:
        relay.recall_lost(opened, at=at)
        relay.relay_batch(opened)
    received(node)
    lose_mark(node)

    with publisher(node) as opened:
        recalled = relay.recall_lost(opened, at=at), relay.recall_lost(opened, at=at)
        relay.relay_batch(opened)

    assert recalled == (3, 0)
    assert (waiting(), numbers(node)) == (0, [0, 1, 2])


def test_a_broker_that_kept_its_messages_gets_nothing_again(node: RabbitMQ):
    append(2, NAME)
    with publisher(node) as opened:
        relay.recall_lost(opened, at=timezone.now())
        relay.relay_batch(opened)

    with publisher(node) as opened:
        assert relay.recall_lost(opened, at=timezone.now()) == 0

    assert waiting() == 0


def lose_mark(node: RabbitMQ) -> None:
    with Connection(url_of(node)) as opened:
        opened.channel().queue_delete("lavka.mark")


def test_a_relay_that_hangs_gives_its_place_up(node: RabbitMQ):
    append(1, NAME)
    hung = connection.copy()
    with hung.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '300ms'")
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM kernel_bookmark WHERE reader = 'recorded' FOR UPDATE")
        Bookmark.objects.get_or_create(reader="relayed")
        cursor.execute("SELECT FROM kernel_bookmark WHERE reader = 'relayed' FOR UPDATE")

    with publisher(node) as opened:
        assert relay.relay_batch(opened) == 0
        # Waits for the row until PostgreSQL ends the session that holds it.
        with transaction.atomic():
            log.bookmark(Bookmark.Reader.RELAYED)
        assert relay.relay_batch(opened) == 1

    with pytest.raises(DatabaseError, match="idle-in-transaction"), hung.cursor() as cursor:
        cursor.execute("SELECT 1")
    hung.close()


def test_the_lag_counts_what_no_broker_has(node: RabbitMQ):
    append(3, NAME)
    positions = list(RecordedEvent.objects.values_list("position", flat=True).order_by("position"))
    assert all(after == before + 1 for before, after in pairwise(positions))

    behind = _lag()
    with publisher(node) as opened:
        relay.relay_batch(opened)

    assert behind.events == 3
    assert 0 < behind.seconds < 60
    assert _lag() == log.Lag(0, 0.0, 0)


def _lag() -> log.Lag:
    return async_to_sync(log.lag)()


def test_it_relays_to_valkey_as_well():
    append(2, NAME)
    assert current_app.connection_for_write().transport.driver_type == "redis"

    with broker.publishing() as opened:
        opened.channel.queue_purge("lavka.default")
        opened.channel.queue_purge("lavka.mark")
        relay.recall_lost(opened, at=timezone.now())
        assert opened.has_mark()
        assert relay.relay_batch(opened) == 2
        assert opened.channel.queue_purge("lavka.default") == 4

    assert waiting() == 0

"""The log passes over no event that commits late, and keeps an aggregate's order."""

import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lavka.kernel import log
from lavka.kernel.models import Bookmark, DriftReport, OutboxEvent, RecordedEvent

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 20
SECONDS = 6.0


def append(n: int, aggregate: uuid.UUID | None = None) -> None:
    OutboxEvent.objects.create(
        name="tests.counted", aggregate=aggregate or uuid.uuid4(), payload={"n": n}
    )


def positions() -> list[tuple[int, int]]:
    events = RecordedEvent.objects.order_by("position")
    return [(event.position, event.payload["n"]) for event in events]


def test_positions_are_dense_and_follow_the_order_of_appending():
    for n in range(3):
        append(n)
    first = log.record_waiting()
    append(3)

    second = log.record_waiting()

    assert (first, second, log.record_waiting()) == (3, 1, 0)
    assert positions() == [(1, 0), (2, 1), (3, 2), (4, 3)]
    assert not OutboxEvent.objects.exists()


def test_an_event_that_commits_late_comes_after_those_recorded_before():
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        append(0)
        other.submit(_append_and_record, 1).result()

    log.record_waiting()

    assert positions() == [(1, 1), (2, 0)]


def _append_and_record(n: int) -> None:
    try:
        append(n)
        log.record_waiting()
    finally:
        connection.close()


def test_a_clock_set_back_changes_no_order():
    append(0)
    OutboxEvent.objects.update(occurred_at=timezone.now() + timedelta(hours=1))
    append(1)

    log.record_waiting()

    assert positions() == [(1, 0), (2, 1)]


def test_a_payload_that_a_broker_would_refuse_is_refused_at_once():
    with pytest.raises(IntegrityError, match="outbox_payload_size"):
        OutboxEvent.objects.create(name="n", aggregate=uuid.uuid4(), payload={"n": "x" * 70_000})


def test_it_knows_what_was_told_since():
    waiting, recorded, silent = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    append(0, recorded)
    log.record_waiting()
    append(1, waiting)
    now = timezone.now()

    told = log.told_since(now - timedelta(minutes=1), [waiting, recorded, silent])

    assert told == {waiting, recorded}
    assert log.told_since(now + timedelta(minutes=1), [waiting, recorded]) == set()


Reading = list[tuple[uuid.UUID, int]]


def write_under_load(read: Callable[[Reading], None], seconds: float) -> tuple[Reading, Reading]:
    """20 writers commit after random pauses while `read` polls: what was written, what was read.

    Each writer holds the row of the thing it changes, as services do; the thing counts its events.
    """
    things = [DriftReport.objects.create(subject="thing", checked=0, drifted=0) for _ in range(30)]
    ends, written, seen = time.monotonic() + seconds, [], []
    writing = threading.Event()
    writing.set()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < ends:
            with transaction.atomic():
                # An id is handed out early and its commit is late.
                append(-1, things[0].pk) if chance.random() < 0.2 else None
                thing = DriftReport.objects.select_for_update().get(pk=chance.choice(things).pk)
                thing.checked += 1
                thing.save()
                append(thing.checked, thing.pk)
                mine = (thing.pk, thing.checked)
                time.sleep(chance.random() ** 4 * 0.4)
            written.append(mine)

    def poll() -> None:
        while writing.is_set():
            read(seen)
            time.sleep(0.01)

    def with_connection(call: Callable[[], None]) -> None:
        try:
            call()
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reader = pool.submit(with_connection, poll)
        writers = [pool.submit(with_connection, lambda n=n: write(n)) for n in range(WRITERS)]
        for writer in writers:
            writer.result()
        writing.clear()
        reader.result()
    read(seen)
    return written, [each for each in seen if each[1] != -1]


@pytest.fixture
def seconds() -> float:
    """How long the writers write."""
    return SECONDS


def test_a_polling_reader_sees_every_event_once_and_in_its_aggregates_order(seconds: float):
    place = [0]

    def read(seen: Reading) -> None:
        log.record_waiting()
        for event in RecordedEvent.objects.filter(position__gt=place[0]).order_by("position"):
            seen.append((event.aggregate, event.payload["n"]))
            place[0] = event.position

    written, seen = write_under_load(read, seconds)

    assert len(written) > 100
    assert sorted(seen) == sorted(written)
    by_aggregate = defaultdict(list)
    for aggregate, n in seen:
        by_aggregate[aggregate].append(n)
    assert all(order == sorted(order) for order in by_aggregate.values())
    assert place[0] == Bookmark.objects.get(reader="recorded").position


def test_control_a_reader_that_remembers_the_last_id_passes_events_over():
    """If this fails, no commit is late and the test above proves nothing."""
    place = [0]

    def read(seen: Reading) -> None:
        for event in OutboxEvent.objects.filter(arrival__gt=place[0]).order_by("arrival"):
            seen.append((event.aggregate, event.payload["n"]))
            place[0] = event.arrival

    written, seen = write_under_load(read, 2.0)

    assert len(seen) < len(written)

"""The log's months: made ahead, filled from the default one, dropped when old and relayed."""

import datetime
import uuid

import pytest
from django.db import connection

from lavka.kernel import log, partitions
from lavka.kernel.models import Bookmark, OutboxEvent, RecordedEvent
from lavka.kernel.partitions import Month

pytestmark = pytest.mark.django_db

LATER = datetime.datetime(2041, 11, 20, tzinfo=datetime.UTC)
MONTHS = ["2041_11", "2041_12", "2042_01", "2042_02"]


def record(at: datetime.datetime) -> None:
    OutboxEvent.objects.create(name="tests.old", aggregate=uuid.uuid4(), payload={})
    log.record_waiting()
    newest = RecordedEvent.objects.order_by("-position").first()
    assert newest is not None
    RecordedEvent.objects.filter(pk=newest.pk).update(recorded_at=at)


def rows(partition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partition}")
        return int(cursor.fetchone()[0])


def test_a_month_and_the_three_after_it_are_made_once():
    made = partitions.make_ahead(at=LATER)

    assert made == [f"kernel_recordedevent_{month}" for month in MONTHS]
    assert partitions.make_ahead(at=LATER) == []


def test_what_came_before_its_partition_moves_there():
    record(LATER)
    assert rows(partitions.REST) == 1

    partitions.make_ahead(at=LATER)

    assert rows(partitions.REST) == 0
    assert rows(Month.of(LATER).partition) == 1
    assert RecordedEvent.objects.count() == 1


def test_an_old_month_is_dropped_once_it_is_relayed():
    partitions.make_ahead(at=LATER)
    record(LATER)
    following = Month.of(LATER).next.starts_at

    too_young = partitions.purge(before=following - datetime.timedelta(seconds=1))
    not_relayed = Month.of(LATER).partition in partitions.purge(before=following)
    Bookmark.objects.update_or_create(reader="relayed", defaults={"position": 1})
    dropped = partitions.purge(before=following)

    assert Month.of(LATER).partition not in too_young
    assert not not_relayed
    assert dropped == [Month.of(LATER).partition]
    assert not RecordedEvent.objects.exists()


def test_the_shop_has_partitions_for_the_months_to_come():
    month = Month.of(datetime.datetime.now(datetime.UTC))

    present = set(partitions._months())

    assert {month, month.next, month.next.next} <= present

"""What time it is for whoever is told none."""

import datetime
import uuid

import pytest
from django.utils import timezone

from lavka.catalog.events import ProductChanged
from lavka.kernel import clock, events
from lavka.kernel.models import OutboxEvent
from lavka.kernel.threads import in_thread, run_flow

pytestmark = pytest.mark.django_db

THEN = datetime.datetime(2026, 2, 3, 4, 5, tzinfo=datetime.UTC)


def test_it_is_now_unless_somebody_says_otherwise():
    before = timezone.now()

    with clock.set_to(THEN):
        inside = clock.now()
    outside = clock.now()

    assert inside == THEN
    assert before <= outside <= timezone.now()


def test_a_flow_and_its_threads_see_the_instant_that_was_set():
    async def flow() -> list[datetime.datetime]:
        return [clock.now(), await in_thread(clock.now)]

    with clock.set_to(THEN):
        assert run_flow(flow()) == [THEN, THEN]


def test_an_event_occurs_at_the_instant_that_was_set():
    then, now = uuid.uuid4(), uuid.uuid4()

    with clock.set_to(THEN):
        events.publish(ProductChanged(product_id=then))
    events.publish(ProductChanged(product_id=now))

    occurred = dict(OutboxEvent.objects.values_list("aggregate", "occurred_at"))
    assert occurred[then] == THEN
    assert timezone.now() - occurred[now] < datetime.timedelta(minutes=5)

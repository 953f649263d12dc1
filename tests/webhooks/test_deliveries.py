"""Which deliveries an event makes, who sends them, and that it is once."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from lavka.accounts.events import PasswordChanged
from lavka.kernel import events
from lavka.orders.events import OrderPlaced
from lavka.webhooks import flows, services, tasks
from lavka.webhooks.models import Attempt, Delivery, Endpoint
from tests.racing import race
from tests.webhooks.factories import (
    deliver,
    listening,
    make_delivery,
    make_endpoint,
    make_event,
    sent,
)

pytestmark = pytest.mark.django_db


def test_an_event_is_told_to_who_listens_and_logged(web):
    other = make_endpoint(events=["payments.payment_captured"])

    delivery, attempt, endpoint = sent(web, "/hooks")

    assert (delivery.status, delivery.tries, delivery.next_attempt_at) == ("delivered", 1, None)
    assert (attempt.status_code, attempt.excerpt, attempt.error) == (200, "thanks", "")
    assert delivery.finished_at == attempt.started_at + attempt.duration
    assert (endpoint.failures, len(web.posted)) == (0, 1)
    assert not other.deliveries.exists()


def test_each_told_event_has_the_task_and_no_other_has():
    told = events.handlers_of(OrderPlaced.name)
    untold = events.handlers_of(PasswordChanged.name)

    assert "webhooks.tell_endpoints" in [task.name for task in told]
    assert "webhooks.tell_endpoints" not in [task.name for task in untold]


def test_an_event_comes_once_to_an_endpoint_however_often_its_handler_runs(web):
    endpoint, event_id = listening(web), make_event()
    for _ in range(3):
        services.tell_endpoints(event_id=event_id, at=timezone.now())
        deliver(endpoint)

    assert len(web.posted) == Delivery.objects.count() == 1


def test_a_disabled_endpoint_and_a_forgotten_event_make_no_delivery(web):
    endpoint = listening(web)
    services.update_endpoint(endpoint_id=endpoint.pk, at=timezone.now(), status="disabled")

    assert services.tell_endpoints(event_id=make_event(), at=timezone.now()) == []
    assert services.tell_endpoints(event_id=uuid.uuid4(), at=timezone.now()) == []
    assert not Delivery.objects.exists()


def test_a_delivery_whose_worker_died_is_sent_when_its_claim_has_run_out(web):
    endpoint = listening(web)
    delivery = make_delivery(endpoint)
    services.claim_deliveries(endpoint_id=endpoint.pk, at=timezone.now())
    deliver(endpoint)
    assert web.posted == []

    Delivery.objects.update(claimed_until=timezone.now())
    deliver(endpoint)

    delivery.refresh_from_db()
    assert (delivery.status, len(web.posted)) == ("delivered", 1)


def test_an_attempt_whose_endpoint_is_deleted_meanwhile_is_forgotten(web):
    endpoint = listening(web)
    delivery = make_delivery(endpoint)
    (claim,) = services.claim_deliveries(endpoint_id=endpoint.pk, at=timezone.now())
    services.delete_endpoint(endpoint_id=endpoint.pk)

    answer = flows._ask(claim, timezone.now())
    services.record_attempt(
        delivery_id=delivery.pk, answer=answer, started_at=timezone.now(), luck=0.5
    )

    assert not Attempt.objects.exists()


def test_beat_starts_sending_where_something_is_due_and_nowhere_else(web, monkeypatch):
    due, waiting, off = (listening(web) for _ in range(3))
    make_event_id = make_event()
    services.tell_endpoints(event_id=make_event_id, at=timezone.now())
    Delivery.objects.filter(endpoint=waiting).update(
        next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    Endpoint.objects.filter(pk=off.pk).update(status="disabled")
    started = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda args, kwargs: started.append(kwargs))

    assert tasks.deliver_due() == 1
    assert started == [{"endpoint_id": str(due.pk)}]


def test_a_broker_that_is_away_leaves_the_start_to_beat(web, monkeypatch):
    listening(web)
    event_id = make_event()

    def refuse(*_, **__):
        raise BrokerAway("[Errno 111] Connection refused")

    monkeypatch.setattr(tasks.deliver, "apply_async", refuse)
    tasks.tell_endpoints(event_id=str(event_id))
    assert tasks.deliver_due() == 1

    started = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda *_: started.append(1))
    assert tasks.deliver_due() == len(started) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_handlers_of_one_event_make_one_delivery():
    endpoint, event_id = make_endpoint(), make_event()

    told = race(lambda: services.tell_endpoints(event_id=event_id, at=timezone.now()), times=8)

    assert told == [[endpoint.pk]] * 8
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_senders_claim_each_delivery_once_and_four_at_most():
    endpoint = make_endpoint()
    for _ in range(6):
        make_delivery(endpoint)

    outcomes = race(
        lambda: services.claim_deliveries(endpoint_id=endpoint.pk, at=timezone.now()), times=8
    )

    claimed = [claim.delivery.pk for claims in outcomes for claim in claims]
    assert len(claimed) == len(set(claimed)) == 4


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_lets_every_sender_claim():
    endpoint = make_endpoint()
    make_delivery(endpoint)
    looked = threading.Barrier(8)

    def look_then_claim() -> int:
        due = list(Delivery.objects.due(timezone.now()))
        looked.wait(timeout=20)
        Delivery.objects.filter(pk__in=[each.pk for each in due]).update(
            claimed_until=timezone.now() + timedelta(minutes=1)
        )
        return len(due)

    assert race(look_then_claim, times=8) == [1] * 8


def test_what_ended_a_month_ago_is_forgotten(web):
    endpoint = listening(web)
    old, new, pending = (make_delivery(endpoint) for _ in range(3))
    at = timezone.now()
    for delivery, days in ((old, 31), (new, 29)):
        Delivery.objects.filter(pk=delivery.pk).update(
            status="delivered", next_attempt_at=None, finished_at=at - timedelta(days=days)
        )

    tasks.purge_deliveries()

    assert set(Delivery.objects.all()) == {new, pending}

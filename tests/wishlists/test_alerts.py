"""Waiting for what is out of stock, and being told once."""

from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from lavka.inventory.events import StockCameBack
from lavka.kernel import events
from lavka.kernel.models import OutboxEvent
from lavka.notifications import tasks as notifications
from lavka.notifications.models import SentMail
from lavka.wishlists import services, tasks
from lavka.wishlists.events import AlertTriggered
from lavka.wishlists.models import MAX_ALERTS, StockAlert
from tests.accounts.factories import make_customer, token_of
from tests.catalog.factories import make_kettle_type, make_product, make_variant
from tests.inventory.factories import make_stock
from tests.racing import race

pytestmark = pytest.mark.django_db

ALERTS = "/stock-alerts/"


def told() -> list[dict]:
    """What the events of alerts carry."""
    triggered = OutboxEvent.objects.filter(name=AlertTriggered.name)
    return list(triggered.values_list("payload", flat=True))


def wait(variant, *customers) -> None:
    for customer in customers:
        services.wait_for(customer_id=customer.pk, variant_id=variant.pk, at=timezone.now())


def come_back(variant) -> None:
    """Units arrive, and the event's task runs."""
    make_stock(3, variant)
    tasks.trigger_alerts(event_id=str(uuid4()), variant_id=str(variant.pk))


def test_a_customer_waits_once_and_no_more(api):
    token, variant = token_of(make_customer()), make_stock(0)
    path = f"{ALERTS}{variant.pk}/"

    assert [api.put(path, token=token).status_code for _ in range(2)] == [204, 204]
    (waiting,) = api.get(ALERTS, token=token).json()["items"]
    assert (waiting["variant_id"], waiting["sku"]) == (str(variant.pk), variant.sku)
    assert [api.delete(path, token=token).status_code for _ in range(2)] == [204, 204]
    assert api.get(ALERTS, token=token).json()["items"] == []


def test_there_is_nothing_to_wait_for_while_it_can_be_bought(api):
    token = token_of(make_customer())

    in_stock = api.put(f"{ALERTS}{make_stock(1).pk}/", token=token)
    hidden = api.put(
        f"{ALERTS}{make_variant(product=make_product(status='draft')).pk}/", token=token
    )

    assert (in_stock.status_code, in_stock.json()["code"]) == (409, "still_in_stock")
    assert hidden.status_code == 404
    assert not StockAlert.objects.exists()


def test_waiting_is_bounded(api):
    customer = make_customer()
    StockAlert.objects.bulk_create(
        StockAlert(customer=customer, variant=make_variant()) for _ in range(MAX_ALERTS)
    )

    refused = api.put(f"{ALERTS}{make_stock(0).pk}/", token=token_of(customer))

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_alerts")


def test_everybody_who_waits_is_told_once_and_waits_no_more():
    assert tasks.trigger_alerts in events.handlers_of(StockCameBack.name)
    variant, other = make_stock(0), make_stock(0)
    ada, bob = make_customer(), make_customer()
    wait(variant, ada, bob)
    wait(other, ada)

    come_back(variant)
    come_back(variant)

    expected = [{"user_id": str(each.pk), "variant_id": str(variant.pk)} for each in (ada, bob)]
    assert sorted(told(), key=str) == sorted(expected, key=str)
    assert StockAlert.objects.get().variant == other


def test_whoever_asks_again_is_told_again():
    variant, ada = make_stock(0), make_customer()
    wait(variant, ada)
    come_back(variant)
    make_stock(0, variant)
    wait(variant, ada)

    come_back(variant)

    assert len(told()) == 2


def test_nobody_is_told_of_what_is_gone_again_or_hidden():
    gone, hidden = make_stock(0), make_stock(0)
    wait(gone, make_customer())
    wait(hidden, make_customer())
    hidden.product.status = "draft"
    hidden.product.save()

    tasks.trigger_alerts(event_id=str(uuid4()), variant_id=str(gone.pk))
    tasks.trigger_alerts(event_id=str(uuid4()), variant_id=str(uuid4()))
    come_back(hidden)

    assert told() == []
    assert StockAlert.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_handlers_tell_each_customer_once():
    variant = make_stock(0)
    wait(variant, *(make_customer() for _ in range(5)))
    make_stock(3, variant)

    outcomes = race(
        lambda: tasks.trigger_alerts(event_id=str(uuid4()), variant_id=str(variant.pk)), times=8
    )

    assert sum(outcomes) == 5
    assert len({each["user_id"] for each in told()}) == len(told()) == 5


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_tells_a_customer_often():
    variant, ada = make_stock(0), make_customer()
    wait(variant, ada)

    def look_then_tell() -> int:
        waiting = list(StockAlert.objects.filter(variant=variant))
        events.publish_all(
            AlertTriggered(user_id=each.customer_id, variant_id=variant.pk) for each in waiting
        )
        return len(waiting)

    assert race(look_then_tell, times=8) == [1] * 8
    assert len(told()) == 8


@pytest.mark.parametrize(
    ("language", "subject", "price"),
    [
        ("en", "Kettle (Color: Red) is back in stock", "for 12.50 USD"),
        ("ru", "Снова в продаже: Kettle (Color: Red)", "цена 12,50 USD"),
    ],
)
def test_the_mail_says_what_is_back_and_comes_once(language, subject, price):
    product = make_product(slug="kettle", name="Kettle", product_type=make_kettle_type())
    variant = make_variant(product=product, options={"color": "red"}, price_amount=1250)
    ada, event_id = make_customer(language=language), str(uuid4())

    for _ in range(2):
        notifications.send_back_in_stock(
            event_id=event_id, user_id=str(ada.pk), variant_id=str(variant.pk)
        )

    (message,) = mail.outbox
    assert (message.subject, message.to) == (subject, [ada.email])
    assert price in message.body
    assert "http://127.0.0.1:8000/products/kettle" in message.body
    assert SentMail.objects.get().user == ada
    assert notifications.send_back_in_stock in events.handlers_of(AlertTriggered.name)


def test_a_closed_account_and_a_variant_that_is_gone_get_no_mail():
    closed, variant = make_customer(is_active=False), make_variant()

    for user_id, variant_id in ((closed.pk, variant.pk), (make_customer().pk, uuid4())):
        notifications.send_back_in_stock(
            event_id=str(uuid4()), user_id=str(user_id), variant_id=str(variant_id)
        )

    assert mail.outbox == []

"""Quotes, drafts and carts that came to nothing are forgotten; whatever money touched stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as shop
from django.db.models import ProtectedError
from django.utils import timezone

from lavka.carts import services as carts
from lavka.carts.models import Cart
from lavka.checkout import services, tasks
from lavka.checkout.models import Quote
from lavka.orders.models import Order, OrderLine
from lavka.payments import flows as payments
from lavka.payments.models import Operation, Payment
from lavka.payments.services import forget_payments
from tests.carts.factories import make_cart
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.payments.factories import make_captured, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def days_ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def left_draft(means: str) -> Order:
    """A draft whose customer went away, and whose cart was forgotten since."""
    buyer = Buyer(Api(), make_ready_cart())
    buyer.check_out(means=means)
    order = Order.objects.get(cart_id=buyer.cart.pk)
    services.give_up(order_id=order.pk, actor=SYSTEM, at=timezone.now())
    run(payments.sweep)
    Cart.objects.filter(pk=order.cart_id).delete()
    return order


def age(days: float) -> None:
    Order.objects.update(updated_at=days_ago(days))
    Quote.objects.update(expires_at=days_ago(days))


@pytest.mark.parametrize("means", ["declined", "requires_action"])
def test_an_old_draft_is_forgotten_with_its_quote_and_what_was_tried(means: str):
    left_draft(means)
    age(89)
    early = tasks.purge()
    age(91)

    late = tasks.purge()

    assert (early, late) == (0, 2)
    for model in (Order, OrderLine, Payment, Operation, Quote):
        assert not model.objects.exists()


def test_a_draft_stays_while_its_cart_does():
    buyer = Buyer(Api(), make_ready_cart())
    buyer.check_out(means="declined")
    services.give_up(order_id=Order.objects.get().pk, actor=SYSTEM, at=timezone.now())
    age(91)

    assert tasks.purge() == 1
    assert Order.objects.count() == 1


def test_a_draft_whose_customer_may_still_come_back_from_the_bank_stays():
    buyer = Buyer(Api(), make_ready_cart())
    buyer.check_out(means="requires_action")
    Cart.objects.all().delete()
    age(91)

    tasks.purge()

    assert Order.objects.count() == Payment.objects.count() == 1


def test_a_draft_whose_money_came_and_went_back_is_kept_for_the_books():
    order = left_draft("declined")
    Order.objects.update(status="placed", number=1, placed_at=timezone.now())
    make_captured(300, order_id=order.pk)
    Order.objects.update(status="draft", number=None, placed_at=None)
    age(91)

    tasks.purge()

    assert Order.objects.get() == order
    with pytest.raises(ProtectedError):
        forget_payments(order_ids=[order.pk])


def test_a_placed_order_is_never_forgotten():
    Buyer(Api(), make_ready_cart()).check_out()
    age(1000)

    tasks.purge()

    assert Order.objects.get().status == "placed"


def test_how_long_is_for_the_settings_to_say(settings: Any):
    left_draft("declined")
    age(8)
    settings.LAVKA = settings.LAVKA | {"DRAFTS_KEPT_DAYS": 7}

    assert tasks.purge() == 2


def test_batches_are_as_large_as_was_said():
    for _ in range(3):
        left_draft("declined")
    age(91)
    limits = {"before": days_ago(90), "limit": 2}

    drafts = [services.purge_drafts(**limits) for _ in range(3)]
    quotes = [services.purge_quotes(**limits) for _ in range(3)]

    assert drafts == quotes == [2, 1, 0]


def test_a_cart_lives_as_long_as_the_settings_say(settings: Any):
    settings.LAVKA = settings.LAVKA | {"CARTS_KEPT_DAYS": 3}

    cart = carts.create_cart(owner_id=None, at=timezone.now())

    assert carts.forget_expired(at=timezone.now() + timedelta(days=2.9), limit=10) == 0
    assert carts.forget_expired(at=cart.expires_at, limit=10) == 1
    assert cart.expires_at - cart.changed_at == timedelta(days=3)


def test_expired_carts_go_in_batches():
    for _ in range(3):
        make_cart(expires_at=days_ago(1))

    forgotten = [carts.forget_expired(at=timezone.now(), limit=2) for _ in range(3)]

    assert forgotten == [2, 1, 0]


def test_beat_runs_what_forgets():
    scheduled = {each["task"] for each in shop.CELERY_BEAT_SCHEDULE.values()}

    assert {"checkout.purge", "checkout.sweep_refunds", "carts.forget_expired"} <= scheduled

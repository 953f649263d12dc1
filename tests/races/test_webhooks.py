"""The provider's word and the customer's return, in every order: one order, one charge."""

from typing import Any

import pytest
from django.utils import timezone

from lavka.checkout import tasks as checkout
from lavka.inventory import services as inventory
from lavka.inventory.models import Allocation
from lavka.kernel.models import OutboxEvent
from lavka.orders.models import Order
from lavka.payments import services as payments
from lavka.payments import tasks as payment_tasks
from lavka.payments.models import ProviderEvent
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge, Webhook
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.inventory.factories import counters, make_stock
from tests.races.conftest import Page, Times
from tests.racing import race_each

pytestmark = pytest.mark.django_db(transaction=True)
AT_MOST = 100


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


class Purchase:
    """A customer who has said yes at their bank and is on the way back to the shop."""

    def __init__(self) -> None:
        self.variant = make_stock(1)
        self.buyer = Buyer(Api(), make_ready_cart(self.variant))
        self.quote = self.buyer.quote().json()["id"]
        waiting = self.buyer.check_out(self.quote, means="requires_action").json()
        self.order_id = waiting["order"]["id"]
        self.charge = Charge.objects.latest("created_at")
        provider.confirm_charge(charge_id=self.charge.pk, is_confirmed=True)

    def confirm(self) -> str:
        """The customer's browser asks again, with a connection of its own."""
        buyer = Buyer(Api(), self.buyer.cart)
        answer = buyer.check_out(self.quote, means="requires_action")
        return str(answer.json()["order"]["status"])

    def hear(self) -> None:
        """Every webhook of the charge comes in, and a worker acts on it and on what it changed."""
        self.record()
        self.finish()

    def record(self) -> None:
        for webhook in Webhook.objects.filter(charge=self.charge).select_related("charge"):
            body = provider.body_of(webhook)
            signed = {provider.SIGNATURE_HEADER: provider.signature_of(body)}
            payments.receive_webhook(method="sandbox", body=body, headers=signed, at=timezone.now())
        for spoken in ProviderEvent.objects.filter(reference=str(self.charge.pk)):
            payment_tasks.look_into(provider_event_id=str(spoken.pk))

    def finish(self) -> None:
        checkout.finish(order_id=self.order_id)

    def times_placed(self) -> int:
        placed = OutboxEvent.objects.filter(name="orders.order_placed", aggregate=self.order_id)
        return placed.count()

    def sweep(self) -> None:
        checkout.sweep()

    def require_one_of_everything(self) -> None:
        order = Order.objects.get(pk=self.order_id)
        assert (order.status, order.payment_status) == ("placed", "paid")
        assert (order.captured_amount, order.refunded_amount) == (order.total_amount, 0)
        assert [entry.kind for entry in order.history.all()] == ["captured", "placed"]
        assert self.times_placed() == 1
        assert counters(self.variant.pk) == (1, 1)


def test_the_webhook_comes_first(page: Page, times: Times):
    rounds = times(5)
    for _ in range(rounds):
        purchase = Purchase()

        purchase.hear()

        assert purchase.confirm() == "placed"
        purchase.require_one_of_everything()
    page.tell(
        "Webhook before the customer's return",
        "3-D Secure: webhooks handled, then the checkout is sent again",
        rounds,
        "1 order, 1 charge; the customer is shown that order",
    )


def test_the_webhook_comes_last_and_twice(page: Page, times: Times):
    rounds = times(5)
    for _ in range(rounds):
        purchase = Purchase()

        assert purchase.confirm() == "placed"
        purchase.hear()
        purchase.hear()

        purchase.require_one_of_everything()
    page.tell(
        "Webhook after the customer's return",
        "3-D Secure: the checkout is sent again, then the webhooks come, twice",
        rounds,
        "1 order, 1 charge",
    )


def test_webhooks_customer_and_sweeper_come_together(page: Page, times: Times):
    rounds = times(5)
    for _ in range(rounds):
        purchase = Purchase()
        calls = [purchase.hear, purchase.confirm, purchase.hear, purchase.confirm, purchase.sweep]

        outcomes = race_each(*calls)

        assert [each for each in outcomes if isinstance(each, type)] == []
        purchase.confirm()
        purchase.require_one_of_everything()
    page.tell(
        "Webhook together with the customer's return",
        "3-D Secure: 2 webhook workers, 2 repeated checkouts and the sweeper at one barrier",
        rounds,
        "1 order, 1 charge",
    )


@pytest.mark.usefixtures("unlocked")
def test_control_without_the_locks_one_purchase_is_finished_more_than_once(page: Page):
    """If this fails, the race above overlaps nothing and proves nothing."""
    given, rounds = 1, 0
    while given == 1 and rounds < AT_MOST:
        purchase, rounds = Purchase(), rounds + 1
        purchase.record()
        race_each(*[purchase.finish] * 3, *[purchase.confirm] * 2, purchase.sweep)
        given = Allocation.objects.get(order_id=purchase.order_id).quantity

    assert given > 1
    page.tell(
        "Webhook together with the customer's return, control",
        "the same, once the money is recorded, against a copy without the locks of carts, holds "
        "and orders, until it fails",
        rounds,
        f"the one piece was given to the order {given} times",
    )


def test_stock_that_went_meanwhile_sends_the_money_back_once(page: Page, times: Times):
    rounds = times(5)
    for _ in range(rounds):
        purchase = Purchase()
        inventory.release_reservation(holder=purchase.buyer.cart.pk)
        rival = Buyer(Api(), make_ready_cart(purchase.variant))
        assert rival.check_out().status_code == 201
        calls = [purchase.hear, purchase.hear, purchase.sweep]

        outcomes = race_each(*calls)
        payment_tasks.sweep()

        assert [each for each in outcomes if isinstance(each, type)] == []
        order = Order.objects.get(pk=purchase.order_id)
        assert order.status == "draft"
        assert order.captured_amount == order.refunded_amount == order.total_amount
        assert counters(purchase.variant.pk) == (1, 1)
    page.tell(
        "The stock went while the customer was at the bank",
        "the hold is over, another buyer has the unit; 2 webhook workers and the sweeper at once",
        rounds,
        "no order, and the money went back once",
    )

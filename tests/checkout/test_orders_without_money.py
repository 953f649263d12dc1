"""Orders that cost their buyer nothing to place: what they may take, and whom they may write to."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from lavka.accounts.models import User
from lavka.carts.models import Cart
from lavka.catalog.models import Variant
from lavka.checkout import services, tasks
from lavka.checkout.errors import FreeOrderRefused, PayLaterRefused
from lavka.checkout.models import UnpaidOrder
from lavka.inventory import services as inventory
from lavka.inventory.models import ReservationUsage
from lavka.inventory.rules import Requester
from lavka.kernel.actors import Actor
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.shipping.models import ShippingRate
from tests.accounts.factories import make_customer, token_of
from tests.catalog.factories import make_variant
from tests.checkout.factories import (
    INVOICE,
    Buyer,
    count_of,
    make_cart_for,
    make_ready_cart,
    order_by_invoice,
)
from tests.client import Api
from tests.inventory.factories import counters, make_stock
from tests.shipping.factories import make_shipping_rate

pytestmark = pytest.mark.django_db(transaction=True)

JOB = Actor.system("test")
DAY = datetime.timedelta(days=1)
OFFICE = "203.0.113.7"


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def ada() -> User:
    return make_customer(email="ada@example.com", email_verified_at=timezone.now())


def make_gift(on_hand: int = 50) -> Variant:
    """A variant that costs nothing, in a shop that sends it for nothing."""
    if not ShippingRate.objects.exists():
        make_shipping_rate(price_amount=0)
    return make_stock(on_hand, make_variant(price_amount=0, track_inventory=True))


# --- customers who have proved their mailbox -----------------------------------------------------


def test_one_mailbox_takes_no_more_unpaid_than_its_limits(ada: User):
    variant = make_stock(999)

    most = order_by_invoice("ada@example.com", variant, owner=ada, quantity=999)
    some = [order_by_invoice("ada@example.com", variant, owner=ada, quantity=40) for _ in range(4)]

    assert most is PayLaterRefused
    assert count_of(some) == 1  # a twentieth of 999, and of what is left
    assert counters(variant.pk) == (999, 40)


def test_units_of_a_trusted_customer_count_until_the_money_comes(ada: User):
    variant = make_stock(100)
    order = order_by_invoice("ada@example.com", variant, owner=ada, quantity=8)
    assert isinstance(order, Order)

    usage = ReservationUsage.objects.get(holder=order.cart_id)
    assert usage.counts_until == order.payment_due_at
    assert order_by_invoice("ada@example.com", variant, owner=ada, quantity=3) is PayLaterRefused


def test_customers_of_one_office_order_by_invoice_each_within_their_own_limits():
    variant = make_stock(100)
    staff = [
        make_customer(email=f"{n}@example.com", email_verified_at=timezone.now()) for n in range(4)
    ]

    outcomes = [order_by_invoice(each.email, variant, owner=each, quantity=4) for each in staff]
    guest = order_by_invoice("guest@example.com", variant, quantity=8)

    assert count_of(outcomes) == 4
    assert isinstance(guest, Order)
    kept = ReservationUsage.objects.exclude(customer_id=None)
    assert set(kept.values_list("address", flat=True)) == {""}


def test_a_hold_of_a_guest_that_a_customer_orders_counts_for_the_customer(ada: User):
    """Signing in before each order would leave what was held as a guest to nobody."""
    variant, outcomes = make_stock(100), []
    for number in range(4):
        cart = make_ready_cart(variant, quantity=5)
        inventory.reserve_stock(
            holder=cart.pk,
            quantities={variant.pk: 5},
            until=timezone.now() + DAY,
            at=timezone.now(),
            requester=Requester(customer_id=None, address=f"203.0.113.{number}", free_units=10),
        )
        Cart.objects.filter(pk=cart.pk).update(owner=ada)
        buyer = services.Buyer(id=ada.pk, language="en", address=f"203.0.113.{number}")
        quote = services.create_quote(cart_id=cart.pk, buyer=buyer, at=timezone.now())
        try:
            services.prepare(
                cart_id=cart.pk, quote_id=quote.pk, buyer=buyer, means=INVOICE, at=timezone.now()
            )
            outcomes.append(True)
        except PayLaterRefused:
            outcomes.append(False)

    assert outcomes == [True, True, False, False]


def test_a_shop_that_lifts_the_limits_takes_any_order(ada: User, settings: Any):
    settings.LAVKA = settings.LAVKA | {
        "HOLD_UNITS": {"customer": 0},
        "HOLD_SHARE_PERCENT": {"customer": 0},
    }
    variant = make_stock(999)

    assert isinstance(order_by_invoice("ada@example.com", variant, owner=ada, quantity=999), Order)


def test_a_paying_customer_is_refused_nothing_beyond_the_limits(api: Api, ada: User):
    variant = make_stock(50)
    cart = make_cart_for("ada@example.com", variant, owner=ada, quantity=50)

    answer = Buyer(api, cart, token_of(ada)).check_out()

    assert answer.json()["order"]["status"] == "placed"


# --- orders that were cancelled ------------------------------------------------------------------


def test_who_cancels_writes_to_no_more_strangers_than_who_does_not(api: Api):
    answers = []
    for number in range(12):
        buyer = Buyer(api, make_cart_for(f"victim{number}@example.com"))
        answer = buyer.check_out(method="invoice", means="")
        answers.append(answer.status_code)
        if answer.status_code == 201:
            order = answer.json()["order"]
            cancelled = api.post(f"/orders/{order['id']}/cancel/?key={order['key']}")
            assert cancelled.status_code == 200
            tasks.forget_unpaid(order_id=order["id"])

    assert answers == [201] * 10 + [409] * 2
    assert Order.objects.filter(status="cancelled").count() == 10
    elsewhere = order_by_invoice("x@example.com", address="198.51.100.4")
    assert isinstance(elsewhere, Order)


def test_a_cancelled_order_counts_for_its_network_a_day_and_not_for_its_mailbox(settings: Any):
    settings.LAVKA = settings.LAVKA | {"UNPAID_ORDERS": {"address": 3}}
    for _ in range(3):
        order = order_by_invoice("ada@example.com")
        assert isinstance(order, Order)
        orders.cancel_order(order_id=order.pk, actor=JOB, at=timezone.now())
        tasks.forget_unpaid(order_id=str(order.pk))

    assert not ReservationUsage.objects.exists()
    assert order_by_invoice("ada@example.com") is PayLaterRefused
    assert isinstance(order_by_invoice("ada@example.com", address="198.51.100.4"), Order)
    assert services.purge_unpaid(at=timezone.now() + 0.9 * DAY) == 0
    UnpaidOrder.objects.filter(address=OFFICE).update(created_at=timezone.now() - DAY)
    assert isinstance(order_by_invoice("ada@example.com"), Order)
    tasks.purge()
    assert UnpaidOrder.objects.filter(order__status="cancelled").count() == 0
    assert UnpaidOrder.objects.count() == 2


def test_a_trusted_customers_cancelled_order_is_forgotten_at_once(ada: User):
    order = order_by_invoice("ada@example.com", owner=ada)
    assert isinstance(order, Order)
    orders.cancel_order(order_id=order.pk, actor=JOB, at=timezone.now())

    tasks.forget_unpaid(order_id=str(order.pk))

    assert not UnpaidOrder.objects.exists()


# --- orders for nothing --------------------------------------------------------------------------


def test_an_order_for_nothing_is_within_the_budget_of_mailbox_and_network():
    of_mailbox = [
        order_by_invoice("ada@example.com", make_gift(), address=f"203.0.113.{n}")
        for n in range(10, 14)
    ]
    of_network = [order_by_invoice(f"victim{n}@example.com", make_gift()) for n in range(12)]

    assert of_mailbox[3] is FreeOrderRefused
    assert (count_of(of_mailbox), count_of(of_network)) == (3, 10)


def test_an_order_for_nothing_takes_no_more_than_the_limits_and_counts_until_it_is_sent():
    gift = make_gift(50)

    outcomes = [order_by_invoice(f"{n}@example.com", gift, quantity=n) for n in (50, 10, 1)]

    assert outcomes[0] is outcomes[2] is FreeOrderRefused
    order = outcomes[1]
    assert isinstance(order, Order)
    assert (order.status, order.payment_due_at) == ("placed", None)
    usage = ReservationUsage.objects.get(holder=order.cart_id)
    assert usage.counts_until > timezone.now() + 13 * DAY
    lines = {line.pk: line.quantity for line in order.lines.all()}
    orders.fulfil_lines(order_id=order.pk, quantities=lines, actor=JOB, at=timezone.now())
    tasks.forget_unpaid(order_id=str(order.pk))
    assert not UnpaidOrder.objects.exists()
    assert not ReservationUsage.objects.exists()


def test_a_refused_order_for_nothing_is_told_what_fits(api: Api):
    gift = make_gift(50)

    refused = Buyer(api, make_ready_cart(gift, quantity=50)).check_out()

    assert (refused.status_code, refused.json()["code"]) == (409, "free_order_refused")
    assert "way to pay" not in refused.json()["detail"]
    assert counters(gift.pk) == (50, 0)


def test_an_order_for_nothing_that_is_never_sent_is_forgotten_at_last():
    order_by_invoice("ada@example.com", make_gift())
    order_by_invoice("grace@example.com", make_stock(50, make_variant(price_amount=100)))

    assert services.purge_unpaid(at=timezone.now() + 13 * DAY) == 0
    assert services.purge_unpaid(at=timezone.now() + 15 * DAY) == 1

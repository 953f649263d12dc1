import datetime
import uuid
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from lavka.carts.models import Cart
from lavka.catalog.models import Variant
from lavka.checkout import tasks
from lavka.checkout.models import Checkout, Quote
from lavka.inventory import services as inventory
from lavka.inventory.models import Hold
from lavka.kernel.models import OutboxEvent
from lavka.orders.models import Order
from lavka.payments import flows as payment_flows
from lavka.payments.models import Payment
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from lavka.shipping.models import ShippingRate
from tests.accounts.factories import make_customer, token_of
from tests.carts.factories import make_cart, put_in
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import counters, make_stock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def variant() -> Variant:
    return make_stock(10)


@pytest.fixture
def buyer(api: Api, variant: Variant) -> Buyer:
    """A guest with two pieces of `variant` in the cart."""
    return Buyer(api, make_ready_cart(variant, quantity=2))


def test_a_cart_becomes_a_paid_order(buyer: Buyer, variant: Variant):
    quote = buyer.quote()
    answer = buyer.check_out(quote.json()["id"])

    assert (quote.status_code, answer.status_code) == (201, 201)
    order, payment = answer.json()["order"], answer.json()["payment"]
    assert (order["number"], order["status"], order["payment"]["status"]) == ("1", "placed", "paid")
    assert (payment["status"], payment["action"]) == ("captured", None)
    # 2 × 12.99, 5.00 for shipping, 20 % of each line and of the shipping.
    assert order["totals"]["total"]["amount"] == 2598 + 500 + 520 + 100
    assert order["totals"] == quote.json()["totals"]
    assert counters(variant.pk) == (10, 2)
    assert Cart.objects.get().status == "ordered"
    assert not Checkout.objects.exists()
    assert OutboxEvent.objects.filter(name="orders.order_placed").count() == 1


def test_a_guests_quote_adds_up_and_holds_no_stock(buyer: Buyer, variant: Variant):
    quote = buyer.quote().json()

    assert (counters(variant.pk), quote["stock_held_until"]) == ((10, 0), None)
    assert [(line["sku"], line["quantity"]) for line in quote["lines"]] == [(variant.sku, 2)]
    assert quote["totals"]["tax"] == {"amount": 620, "currency": "USD"}


def test_a_shop_says_how_long_stock_is_held(buyer: Buyer, variant: Variant, settings: Any):
    settings.LAVKA = settings.LAVKA | {"HOLD_SECONDS": 60, "GUEST_QUOTES_HOLD_STOCK": True}
    before = timezone.now()

    buyer.quote()
    put_in(buyer.cart, 1, variant)

    for row in (Quote.objects.get(), Hold.objects.get()):
        held = row.expires_at - before
        assert datetime.timedelta(seconds=60) <= held < datetime.timedelta(seconds=120)


@pytest.mark.parametrize("missing", ["lines", "email", "addresses", "shipping_option"])
def test_an_incomplete_cart_gets_no_quote(buyer: Buyer, missing: str):
    fields = {
        "email": {"email": ""},
        "addresses": {"shipping_address": None, "shipping_option_id": ""},
        "shipping_option": {"shipping_option_id": ""},
    }
    if missing == "lines":
        buyer.cart.lines.all().delete()
    else:
        Cart.objects.update(**fields[missing])

    answer = buyer.quote()

    assert (answer.status_code, answer.json()["code"]) == (409, "cart_incomplete")
    assert answer.json()["details"]["missing"][0] == missing
    assert not Quote.objects.exists()


def test_what_is_not_there_is_not_quoted(buyer: Buyer, variant: Variant):
    inventory.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=1)

    answer = buyer.quote()

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert answer.json()["details"]["variants"] == [
        {"variant_id": str(variant.pk), "requested": 2, "available": 1}
    ]


@pytest.mark.parametrize("means", ["declined", "insufficient_funds"])
def test_a_declined_payment_is_402_and_the_cart_stays_open(buyer: Buyer, means: str):
    answer = buyer.check_out(means=means)

    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    assert answer.json()["details"]["reason"] == means
    assert Cart.objects.get().status == "open"
    assert not Order.objects.placed().exists()


def test_after_a_refusal_another_card_gives_the_same_order(buyer: Buyer):
    buyer.check_out(means="declined")
    draft = Order.objects.get()

    answer = buyer.check_out()

    assert (answer.status_code, answer.json()["order"]["id"]) == (201, str(draft.pk))
    assert [payment.status for payment in Payment.objects.order_by("id")] == ["failed", "captured"]


@pytest.mark.parametrize("what", ["price", "cart", "shipping"])
def test_what_moved_since_the_quote_is_told_and_nothing_is_charged(
    buyer: Buyer, variant: Variant, what: str
):
    quote = buyer.quote().json()["id"]
    if what == "price":
        Variant.objects.update(price_amount=1399)
    elif what == "cart":
        put_in(buyer.cart, 1, variant)
    else:
        Cart.objects.update(shipping_address=buyer.cart.shipping_address | {"city": "Leeds"})

    answer = buyer.check_out(quote)

    total = {"price": 3958, "cart": 5276, "shipping": 3718}[what]
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer.json()["details"]["totals"]["total"]["amount"] == total
    assert not Payment.objects.exists()
    assert not Order.objects.exists()


def test_a_quote_that_expired_holds_if_nothing_moved(buyer: Buyer):
    quote = buyer.quote().json()["id"]
    Quote.objects.update(expires_at=timezone.now() - timezone.timedelta(hours=1))
    inventory.release_reservation(holder=buyer.cart.pk)

    assert buyer.check_out(quote).status_code == 201


@pytest.mark.parametrize("quote", [str(uuid.uuid4()), None], ids=["of nobody", "none"])
def test_a_foreign_quote_is_refused(api: Api, buyer: Buyer, quote: str | None):
    quote = quote or Buyer(api, make_ready_cart()).quote().json()["id"]

    answer = buyer.check_out(quote)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/quote_id")


def test_an_unknown_way_of_paying_is_refused(buyer: Buyer):
    answer = buyer.check_out(method="shells")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/payment/method")
    assert not Order.objects.exists()


def test_a_second_click_gives_the_same_order(buyer: Buyer):
    quote = buyer.quote().json()["id"]

    first, second = buyer.check_out(quote), buyer.check_out(quote)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["order"] == second.json()["order"]
    assert Charge.objects.count() == 1


def test_the_same_key_gives_the_first_answer_and_another_body_none(buyer: Buyer):
    quote = buyer.quote().json()["id"]

    first = buyer.check_out(quote, key="once")
    again = buyer.check_out(quote, key="once")
    other = buyer.check_out(quote, key="once", means="declined")

    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Charge.objects.count() == 1


def test_a_checkout_needs_a_key(api: Api, buyer: Buyer):
    body = {"quote_id": buyer.quote().json()["id"], "payment": {"method": "sandbox"}}

    answer = api.post(f"/carts/{buyer.cart.pk}/checkout/", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


def test_3d_secure_is_confirmed_by_the_customers_return(buyer: Buyer, variant: Variant):
    quote = buyer.quote().json()["id"]

    waiting = buyer.check_out(quote, means="requires_action").json()
    confirm()
    placed = buyer.check_out(quote, means="requires_action").json()

    assert (waiting["order"]["status"], waiting["order"]["number"]) == ("draft", None)
    assert waiting["payment"]["action"]["type"] == "redirect"
    assert buyer.state().json()["order"]["status"] == "placed"
    assert (placed["order"]["id"], placed["order"]["status"]) == (waiting["order"]["id"], "placed")
    assert counters(variant.pk) == (10, 2)


def test_3d_secure_is_confirmed_by_the_providers_word_alone(buyer: Buyer):
    order = buyer.check_out(means="requires_action").json()["order"]
    confirm()

    resolve_all()
    tasks.finish(order_id=order["id"])

    assert buyer.state().json()["order"]["status"] == "placed"


def test_a_timeout_after_the_money_moved_is_found_out(buyer: Buyer):
    answer = buyer.check_out(means="timeout_after_charge").json()

    assert (answer["order"]["status"], answer["payment"]["status"]) == ("placed", "captured")
    assert Charge.objects.count() == 1


def test_a_provider_that_is_away_leaves_a_draft(buyer: Buyer):
    answer = buyer.check_out(means="error")

    assert answer.status_code == 201
    assert answer.json()["order"]["status"] == "draft"
    assert answer.json()["payment"]["status"] == "pending"


def test_a_paid_draft_without_stock_gets_its_money_back(buyer: Buyer, variant: Variant):
    """The hold ran out while the customer was at their bank, and somebody else bought the rest."""
    buyer.check_out(means="requires_action")
    inventory.release_reservation(holder=buyer.cart.pk)
    inventory.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=0)
    confirm()
    resolve_all()

    tasks.finish(order_id=str(Order.objects.get().pk))

    payment = Payment.objects.get()
    assert (payment.status, payment.refunded) == ("refunded", payment.captured)
    assert not Order.objects.placed().exists()
    assert Cart.objects.get().status == "open"
    assert counters(variant.pk) == (0, 0)


def test_the_sweeper_completes_a_paid_draft(buyer: Buyer):
    buyer.check_out(means="requires_action")
    confirm()
    resolve_all()
    Checkout.objects.update(expires_at=timezone.now())

    assert tasks.sweep() == 1

    assert Order.objects.get().status == "placed"
    assert tasks.sweep() == 0


def test_the_sweeper_gives_up_what_nobody_paid(buyer: Buyer):
    buyer.check_out(means="requires_action")
    Checkout.objects.update(expires_at=timezone.now())

    tasks.sweep()

    assert Payment.objects.get().status == "voided"
    assert Order.objects.get().status == "draft"
    assert tasks.sweep() == 0


def test_money_that_comes_after_the_draft_was_given_up_goes_back(buyer: Buyer):
    buyer.check_out(means="error")
    Checkout.objects.update(expires_at=timezone.now())
    tasks.sweep()

    async_to_sync(payment_flows.sweep)(actor=SYSTEM)

    payment = Payment.objects.get()
    assert payment.authorised == payment.refunded + payment.voided


def test_a_cancelled_order_gets_its_money_back(buyer: Buyer):
    order = buyer.check_out().json()["order"]
    buyer.api.post(f"/orders/{order['id']}/cancel/?key={order['key']}", {})

    tasks.return_money(order_id=order["id"])
    tasks.return_money(order_id=order["id"])

    found = Order.objects.get()
    assert (found.status, found.payment_status) == ("cancelled", "refunded")
    assert found.refunded_amount == found.total_amount


def test_another_card_while_the_bank_is_asked_pays_once(buyer: Buyer):
    quote = buyer.quote().json()["id"]
    buyer.check_out(quote, means="requires_action")

    answer = buyer.check_out(quote)
    confirm()
    async_to_sync(payment_flows.sweep)(actor=SYSTEM)

    assert answer.json()["order"]["status"] == "placed"
    order = Order.objects.get()
    assert order.captured_amount - order.refunded_amount == order.total_amount


def test_by_invoice_nothing_is_captured_yet(buyer: Buyer):
    answer = buyer.check_out(method="invoice", means="").json()

    assert answer["order"]["status"] == "placed"
    assert answer["order"]["payment"]["authorised"]["amount"] == 3718


def test_what_costs_nothing_needs_no_payment(api: Api):
    variant = make_stock(1)
    Variant.objects.update(price_amount=0)
    buyer = Buyer(api, make_ready_cart(variant))
    ShippingRate.objects.update(price_amount=0)

    answer = buyer.check_out().json()

    assert (answer["order"]["status"], answer["payment"]) == ("placed", None)
    assert not Payment.objects.exists()


def test_another_customers_cart_is_not_there(api: Api):
    owner = make_customer()
    cart = make_ready_cart(owner=owner)
    stranger, own = Buyer(api, cart, token_of(make_customer())), Buyer(api, cart, token_of(owner))
    quote = own.quote().json()["id"]

    answers = [
        stranger.quote().status_code,
        stranger.check_out(quote).status_code,
        stranger.state().status_code,
    ]

    assert answers == [404, 404, 404]
    placed = own.check_out(quote).json()["order"]
    assert api.get(f"/orders/{placed['id']}/", token=own.token).json()["number"] == "1"


def test_there_is_nothing_to_see_before_the_first_checkout(api: Api):
    assert Buyer(api, make_cart()).state().status_code == 404


def confirm() -> None:
    """The customer says yes at their bank."""
    provider.confirm_charge(charge_id=Charge.objects.latest("created_at").pk, is_confirmed=True)


def resolve_all() -> None:
    """The provider's word comes in."""
    for payment in Payment.objects.all():
        for operation in payment.operations.all():
            async_to_sync(payment_flows.resolve)(operation_id=operation.pk)

"""An amount counts only in the currency of what it applies to, whoever says it."""

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lavka.carts import services as carts
from lavka.carts.selectors import priced_cart
from lavka.checkout import flows as checkout
from lavka.kernel.money import MAX_AMOUNT, CurrencyMismatch, Money
from lavka.orders import services as orders
from lavka.orders.services import EditWish
from lavka.payments import flows, services, tasks
from lavka.payments.models import LedgerEntry, Operation, Payment, ProviderEvent
from lavka.payments.rules import PaymentInput
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge, ChargeChange, Webhook
from lavka.shipping import options as shipping_options
from lavka.shipping import services as shipping
from lavka.shipping.models import ShippingRate
from tests.accounts.factories import make_staff, token_of
from tests.carts.factories import ADDRESS, make_cart, put_in
from tests.catalog.factories import make_variant
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.orders.factories import make_order
from tests.payments.factories import make_captured, make_payment, order_of, run

pytestmark = pytest.mark.django_db

YEN = Money(5000, "JPY")


@pytest.fixture
def staff() -> str:
    return token_of(make_staff())


@pytest.fixture
def authorised(settings: Any) -> Payment:
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment = make_payment(1000)
    run(flows.authorise, payment_id=payment.pk)
    payment.refresh_from_db()
    return payment


def moved(payment: Payment) -> tuple[int, int, int, int]:
    payment.refresh_from_db()
    return payment.captured, payment.capturing, payment.refunded, payment.refunding


def post(api: Any, path: str, amount: Any, token: str):
    body = {"amount": amount}
    return api.post(f"/manage/{path}/", body, token=token, Idempotency_Key=str(uuid.uuid4()))


@pytest.mark.parametrize("currency", ["JPY", "EUR", "usd", "XXX"])
@pytest.mark.parametrize("path", ["payments/{payment}/refund", "orders/{order}/refund"])
def test_a_refund_in_another_currency_is_refused_and_moves_nothing(api, staff, path, currency):
    payment = make_captured(5000)
    target = path.format(payment=payment.pk, order=payment.order_id)

    answer = post(api, target, {"amount": 5000, "currency": currency}, staff)

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "currency_mismatch")
    assert told["details"] == {"currency": currency, "expected": "USD"}
    assert [each["pointer"] for each in told["errors"]] == ["#/amount/currency"]
    assert moved(payment) == (5000, 0, 0, 0)
    assert not Operation.objects.filter(kind="refund").exists()


def test_a_capture_in_another_currency_is_refused(api, staff, authorised):
    answer = post(
        api, f"payments/{authorised.pk}/capture", {"amount": 10, "currency": "KWD"}, staff
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "currency_mismatch")
    assert moved(authorised) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "amount", [500.0, 499.5, -500, 0, True, "500", MAX_AMOUNT + 1, 2**63, 10**30, None, [500]]
)
@pytest.mark.parametrize("path", ["payments/{payment}/refund", "orders/{order}/refund"])
def test_an_amount_is_a_whole_number_within_bounds(api, staff, path, amount):
    payment = make_captured(5000)
    target = path.format(payment=payment.pk, order=payment.order_id)

    answer = post(api, target, {"amount": amount, "currency": "USD"}, staff)

    assert answer.status_code == 422
    assert moved(payment) == (5000, 0, 0, 0)


def test_the_services_refuse_another_currency_too(settings):
    payment = make_captured(1000)
    now = timezone.now()
    refund = {"payment_id": payment.pk, "amount": YEN, "key": "k", "actor": SYSTEM, "at": now}
    price = {"country": "", "name": "Post", "price": YEN}

    with pytest.raises(CurrencyMismatch):
        services.begin_refund(**refund)
    with pytest.raises(CurrencyMismatch):
        services.begin_capture(**refund)
    with pytest.raises(CurrencyMismatch):
        run(checkout.refund, order_id=payment.order_id, amount=YEN, key="k")
    with pytest.raises(CurrencyMismatch):
        services.open_payment(
            order_id=order_of(10_000).pk, amount=YEN, means=PaymentInput(method="sandbox"), at=now
        )
    with pytest.raises(CurrencyMismatch):
        shipping.create_rate(**price)

    assert not ShippingRate.objects.exists()
    assert moved(payment) == (1000, 0, 0, 0)


def test_a_cart_from_before_the_shop_changed_its_currency_is_not_sold_by_the_number(api, settings):
    cart = make_cart()
    put_in(cart, 1, make_variant(price_amount=5000))
    settings.LAVKA = settings.LAVKA | {"CURRENCY": "JPY"}

    with pytest.raises(CurrencyMismatch):
        priced_cart(cart.pk, timezone.now())
    with pytest.raises(CurrencyMismatch):
        put_in(cart)
    answer = api.get(f"/carts/{cart.pk}/")

    assert (answer.status_code, answer.json()["code"]) == (422, "currency_mismatch")
    assert cart.lines.count() == 1


def test_a_carrier_that_asks_for_another_currency_is_not_booked(monkeypatch):
    class Abroad:
        def options(self, **_: Any) -> list[shipping_options.ShippingOption]:
            way = {"id": "sea", "name": "Sea", "delivery": "", "price": YEN}
            return [shipping_options.ShippingOption(**way)]

    monkeypatch.setattr("lavka.carts.pricing.shipping_rates", Abroad)
    cart = make_cart(shipping_address=ADDRESS)

    with pytest.raises(CurrencyMismatch):
        carts.set_shipping_option(
            cart_id=cart.pk, caller_id=None, option_id="sea", at=timezone.now()
        )


def test_an_order_is_not_edited_with_prices_of_another_currency():
    order = make_order(currency="EUR")
    variant = make_stock(5)

    with pytest.raises(CurrencyMismatch):
        orders.preview_edit(
            order_id=order.pk, wish=EditWish(added={variant.pk: 1}), at=timezone.now()
        )


# --- what providers tell -------------------------------------------------------------------------


def deliver_webhooks() -> None:
    for webhook in Webhook.objects.order_by("id"):
        tasks.deliver_sandbox_webhook(webhook_id=str(webhook.pk))
    for spoken in ProviderEvent.objects.filter(processed_at=None).order_by("id"):
        tasks.look_into(provider_event_id=str(spoken.pk))


def drifts() -> list[tuple[str, str]]:
    now = timezone.now()
    report = run(flows.reconcile, since=now - timedelta(days=1), at=now + timedelta(hours=1))
    return [(each["what"], each["subject"]) for each in report.details["drifts"]]


@pytest.mark.parametrize("other", [{"currency": "JPY"}, {"amount": 999}, {"amount": 100_000}])
def test_a_payment_that_the_provider_took_otherwise_is_not_booked(other, caplog):
    payment = make_payment(1000, token="requires_action")
    run(flows.authorise, payment_id=payment.pk)
    charge = Charge.objects.get()
    Charge.objects.update(**other)
    provider.confirm_charge(charge_id=charge.pk, is_confirmed=True)

    with caplog.at_level(logging.ERROR, "lavka.payments"):
        deliver_webhooks()

    payment.refresh_from_db()
    operation = payment.operations.get()
    assert (payment.status, payment.authorised, payment.captured) == ("requires_action", 0, 0)
    assert (operation.state, operation.reason) == ("waiting", "amount_mismatch")
    assert not LedgerEntry.objects.exists()
    assert "asked for 10.00 USD" in caplog.text
    assert ("amount_mismatch", str(operation.pk)) in drifts()


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_a_change_that_the_provider_did_otherwise_is_not_booked_and_not_asked_again(
    kind, authorised
):
    if kind == "refund":
        run(flows.capture, payment_id=authorised.pk)
    change, amount = getattr(flows, kind), Money(300, "USD")
    booked = LedgerEntry.objects.count()
    Charge.objects.update(currency="EUR")

    outcome = run(change, payment_id=authorised.pk, amount=amount, key="k")
    deliver_webhooks()
    again = run(change, payment_id=authorised.pk, amount=amount, key="k")

    operation = authorised.operations.get(kind=kind, key="k")
    assert (operation.state, operation.reason) == ("waiting", "amount_mismatch")
    assert (outcome.payment_id, again.status) == (authorised.pk, outcome.status)
    assert LedgerEntry.objects.count() == booked
    assert getattr(authorised, "captured" if kind == "capture" else "refunded") == 0
    assert ChargeChange.objects.filter(kind=kind, amount=300).count() == 1
    assert ("amount_mismatch", str(operation.pk)) in drifts()


def test_what_the_provider_mends_is_booked(authorised):
    Charge.objects.update(currency="EUR")
    run(flows.capture, payment_id=authorised.pk)
    assert moved(authorised) == (0, 1000, 0, 0)
    Charge.objects.update(currency="USD")

    deliver_webhooks()

    assert moved(authorised) == (1000, 0, 0, 0)
    assert authorised.operations.get(kind="capture").reason == ""


def test_books_of_another_currency_are_drift():
    payment = make_captured(1000)
    Charge.objects.update(currency="JPY")

    assert drifts() == [("currency_mismatch", str(payment.pk))]

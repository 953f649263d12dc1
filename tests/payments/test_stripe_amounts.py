"""What Stripe is asked for and says, in currencies whose minor units differ from ISO 4217."""

import logging
from datetime import timedelta
from typing import Any

import pytest
import stripe
from django.utils import timezone

from lavka.kernel.money import Money
from lavka.payments import checks, flows, services
from lavka.payments.gateways.stripe import Stripe
from lavka.payments.models import LedgerEntry, Payment
from lavka.payments.rules import PaymentInput
from tests.payments.factories import order_of, run

pytestmark = pytest.mark.django_db

# Minor units of the shop and what Stripe is asked for.
ASKED = [
    *((Money(1299, code), 1299) for code in ("USD", "HUF", "TWD", "RUB", "MRU")),
    *(
        (Money(500, code), 500)
        for code in (
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF",
            "XOF", "XPF",
        )
    ),
    (Money(10_000, "MGA"), 100),
    *((Money(5, code), 500) for code in ("ISK", "UGX")),
    *((Money(1230, code), 1230) for code in ("BHD", "JOD", "KWD", "OMR", "TND")),
    *((Money(1230, code), 123) for code in ("IQD", "LYD")),
]  # fmt: skip
REFUSED = [
    Money(10_050, "MGA"), Money(99, "MGA"),
    *(Money(1234, code) for code in ("BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD")),
]  # fmt: skip


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[dict[str, Any]]:
    """What Stripe is asked to do; it does everything at once and says what it was asked for."""
    asked: list[dict[str, Any]] = []

    def intent(params: dict[str, Any], **other: Any) -> Any:
        asked.append(params)
        return stripe.PaymentIntent.construct_from({"id": "pi_1", **other}, "sk_test")

    async def create(_: Any, params: dict[str, Any], *__: Any) -> Any:
        amount, currency = params["amount"], params["currency"]
        if params["capture_method"] == "manual":
            return intent(params, status="requires_capture", amount=amount, currency=currency)
        return intent(params, status="succeeded", amount_received=amount, currency=currency)

    async def capture(_: Any, __: str, params: dict[str, Any], *___: Any) -> Any:
        amount = params["amount_to_capture"]
        currency = asked[0]["currency"]
        return intent(params, status="succeeded", amount_received=amount, currency=currency)

    async def refund(_: Any, params: dict[str, Any], *__: Any) -> Any:
        asked.append(params)
        done = {"id": "re_1", "status": "succeeded", "amount": params["amount"]}
        return stripe.Refund.construct_from(done | {"currency": asked[0]["currency"]}, "sk_test")

    monkeypatch.setattr(stripe.PaymentIntentService, "create_async", create)
    monkeypatch.setattr(stripe.PaymentIntentService, "capture_async", capture)
    monkeypatch.setattr(stripe.RefundService, "create_async", refund)
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
        "STRIPE": {"secret_key": "sk_test"},
    }
    return asked


def payment_of(amount: Money) -> Payment:
    order = order_of(amount.amount, currency=amount.currency)
    means = PaymentInput(method="stripe", token="pm_1")
    return services.open_payment(order_id=order.pk, amount=None, means=means, at=timezone.now())


def paid(amount: Money) -> Payment:
    payment = payment_of(amount)
    run(flows.authorise, payment_id=payment.pk)
    payment.refresh_from_db()
    return payment


@pytest.mark.parametrize(("amount", "asked"), ASKED, ids=str)
def test_a_payment_and_its_refund_are_exact_in_every_currency(calls, amount, asked):
    payment = paid(amount)
    run(flows.refund, payment_id=payment.pk, key="a")

    payment.refresh_from_db()
    assert [each["amount"] for each in calls] == [asked, asked]
    assert (payment.captured, payment.refunded) == (amount.amount, amount.amount)


@pytest.mark.parametrize("amount", REFUSED, ids=str)
def test_an_amount_that_stripe_cannot_charge_is_declined_and_not_sent(calls, amount):
    payment = payment_of(amount)

    outcome = run(flows.authorise, payment_id=payment.pk)

    payment.refresh_from_db()
    assert (outcome.status, outcome.reason) == ("declined", "unsupported_amount")
    assert (payment.status, payment.reason) == ("failed", "unsupported_amount")
    assert calls == []


@pytest.mark.parametrize("part", [Money(50, "MGA"), Money(1234, "KWD")], ids=str)
def test_a_part_that_stripe_cannot_move_is_declined_and_can_be_asked_for_otherwise(
    calls, settings, part
):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment = paid(Money(5000, part.currency))

    captured = run(flows.capture, payment_id=payment.pk, amount=part, key="a")
    run(flows.capture, payment_id=payment.pk, key="b")
    refunded = run(flows.refund, payment_id=payment.pk, amount=part, key="a")
    asked = len(calls)
    run(flows.refund, payment_id=payment.pk, key="b")

    payment.refresh_from_db()
    assert [each.reason for each in (captured, refunded)] == ["unsupported_amount"] * 2
    assert (asked, len(calls)) == (2, 3)
    assert (payment.captured, payment.refunded, payment.amounts.refundable) == (5000, 5000, 0)


@pytest.mark.parametrize("received", [549, 551, 501])
def test_a_sum_that_is_no_whole_number_of_minor_units_is_not_booked(
    calls, monkeypatch, caplog, received
):
    async def create(_: Any, params: dict[str, Any], *__: Any) -> Any:
        told = {"id": "pi_1", "status": "succeeded", "amount_received": received}
        return stripe.PaymentIntent.construct_from(told | {"currency": "isk"}, "sk_test")

    monkeypatch.setattr(stripe.PaymentIntentService, "create_async", create)

    with caplog.at_level(logging.ERROR, "lavka.payments"):
        payment = paid(Money(5, "ISK"))

    operation = payment.operations.get()
    assert (operation.state, operation.reason) == ("waiting", "amount_mismatch")
    assert not LedgerEntry.objects.exists()
    assert "a part of a minor unit more than 5 ISK" in caplog.text


@pytest.mark.parametrize(
    ("received", "refunded", "drifts"), [(500, 0, 0), (550, 0, 1), (550, 50, 1), (500, 40, 1)]
)
def test_books_with_a_part_of_a_minor_unit_are_drift(
    calls, monkeypatch, received, refunded, drifts
):
    payment = paid(Money(5, "ISK"))

    async def books(*_: Any) -> Any:
        charge = {"object": "charge", "amount_refunded": refunded}
        told = {"id": "pi_1", "status": "succeeded", "amount_received": received}
        told |= {
            "amount": 500,
            "currency": "isk",
            "latest_charge": charge,
            "created": 2_000_000_000,
        }
        yield stripe.PaymentIntent.construct_from(told, "sk_test")

    monkeypatch.setattr("lavka.payments.gateways.stripe._intents", books)
    now = timezone.now()
    report = run(flows.reconcile, since=now - timedelta(days=1), at=now + timedelta(hours=1))

    found = [each for each in report.details["drifts"] if each["subject"] == str(payment.pk)]
    assert [each["what"] for each in found] == ["amount_mismatch"] * drifts


def test_a_charge_of_less_than_a_minor_unit_is_no_charge_of_the_shops(calls, monkeypatch):
    async def books(*_: Any) -> Any:
        told = {"id": "pi_2", "status": "succeeded", "amount": 40, "amount_received": 40}
        told |= {"currency": "isk", "latest_charge": None, "created": 2_000_000_000}
        yield stripe.PaymentIntent.construct_from(told, "sk_test")

    monkeypatch.setattr("lavka.payments.gateways.stripe._intents", books)
    now = timezone.now()
    report = run(flows.reconcile, since=now - timedelta(days=1), at=now)

    drifts = [(each["what"], each["subject"]) for each in report.details["drifts"]]
    assert drifts == [("unknown charge", "pi_2")]


@pytest.mark.parametrize(
    ("currency", "step"), [("USD", ""), ("JPY", ""), ("ISK", ""), ("KWD", "0.010"), ("MGA", "1.00")]
)
def test_a_shop_is_told_that_stripe_cannot_charge_every_amount(calls, settings, currency, step):
    settings.LAVKA = settings.LAVKA | {"CURRENCY": currency}

    told = [each.msg for each in checks.check_stripe_amounts()]

    assert told == [f"Stripe charges {currency} in steps of {step} only."] * bool(step)


def test_another_gateway_charges_every_amount(settings):
    settings.LAVKA = settings.LAVKA | {"CURRENCY": "KWD"}

    assert Stripe.__name__ not in str(settings.LAVKA["PAYMENT_GATEWAYS"])
    assert checks.check_stripe_amounts() == []

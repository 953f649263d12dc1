"""Whatever is done to a payment in whatever order, its books balance and agree."""

from datetime import timedelta

import pytest
from django.conf import settings as shop
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lavka.kernel.errors import Conflict
from lavka.kernel.money import Money
from lavka.payments import flows, selectors, services
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import Account, Amounts, PaymentStatus
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.happening import SYSTEM
from tests.payments.factories import make_payment, run

pytestmark = pytest.mark.django_db

TOKENS = ["success", "declined", "requires_action", "pending", "timeout_after_charge", "error"]
STEPS = st.one_of(
    st.tuples(st.sampled_from(["capture", "refund"]), st.integers(1, 700) | st.none()),
    st.tuples(
        st.sampled_from(["authorise", "void", "confirm", "refuse", "sweep", "abandon"]), st.none()
    ),
)


def take(step: str, amount: int | None, payment: Payment, number: int) -> None:
    part = {"amount": Money(amount, "USD") if amount else None, "key": str(number)}
    match step:
        case "capture" | "refund":
            run(getattr(flows, step), payment_id=payment.pk, **part)
        case "authorise" | "void":
            run(getattr(flows, step), payment_id=payment.pk)
        case "confirm" | "refuse":
            for charge in Charge.objects.all():
                provider.confirm_charge(charge_id=charge.pk, is_confirmed=step == "confirm")
        case "sweep":
            sweep()
        case "abandon":
            services.abandon_payments(order_id=payment.order_id, actor=SYSTEM, at=timezone.now())


def sweep() -> None:
    Operation.objects.update(started_at=timezone.now() - selectors.PATIENCE, looked_up_at=None)
    run(flows.sweep)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(token=st.sampled_from(TOKENS), at_once=st.booleans(), steps=st.lists(STEPS, max_size=10))
def test_books_balance_after_any_sequence_of_steps(token, at_once, steps):
    before = transaction.savepoint_create()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "LAVKA", shop.LAVKA | {"CAPTURES_AT_ONCE": at_once})
        payment = make_payment(1000, token=token)
        for number, (step, amount) in enumerate([("authorise", None), *steps]):
            try:
                take(step, amount, payment, number)
            except Conflict:
                continue
        for _ in range(3):
            sweep()

        check_books(payment)
    transaction.savepoint_rollback(before)


def check_books(payment: Payment) -> None:
    payment.refresh_from_db()
    charges = list(Charge.objects.all())
    net = payment.captured - payment.refunded
    assert sum(each.captured - each.refunded for each in charges) == net
    assert selectors.balance_of(Account.CLEARING, payment=payment).get("USD", 0) == net
    assert selectors.balance_of(Account.REFUNDS).get("USD", 0) == payment.refunded
    totals = [selectors.balance_of(account).get("USD", 0) for account in Account]
    assert sum(totals) == 0
    assert (payment.capturing, payment.voiding, payment.refunding) == (0, 0, 0)
    payment.order.refresh_from_db()
    assert payment.order.captured_amount == payment.captured
    assert payment.order.refunded_amount == payment.refunded
    if payment.abandoned_at is not None:
        assert payment.amounts.held == 0
    now = timezone.now()
    Payment.objects.update(updated_at=now - timedelta(hours=1))
    report = run(flows.reconcile, since=now - timedelta(days=1), at=now)
    assert [each["what"] for each in report.details["drifts"]] == []


@given(authorised=st.integers(0, 10**12), captured=st.integers(0, 10**12), refunded=st.integers(0))
def test_a_status_says_what_the_amounts_say(authorised, captured, refunded):
    captured, refunded = min(captured, authorised), min(refunded, captured, authorised)
    amounts = Amounts(authorised, 0, captured, 0, 0, 0, refunded)

    assert amounts.capturable + amounts.refundable == authorised - refunded
    assert (amounts.status == PaymentStatus.REFUNDED) == (refunded == captured > 0)
    assert (amounts.status == PaymentStatus.AUTHORISED) == (captured == 0)

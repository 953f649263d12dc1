"""Drift between orders, payments, ledger and provider is found, and quiet when there is none."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from lavka.kernel.models import DriftReport
from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.payments import flows, selectors, services
from lavka.payments.models import LedgerEntry, Payment
from lavka.payments.rules import Account
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.payments.factories import make_captured, make_payment, order_of, run

pytestmark = pytest.mark.django_db


def rest() -> None:
    """Let everything be long ago."""
    long_ago = timezone.now() - timedelta(hours=1)
    Payment.objects.update(updated_at=long_ago)
    Order.objects.update(updated_at=long_ago)


def drifts() -> list[dict]:
    now = timezone.now()
    report = run(flows.reconcile, since=now - timedelta(days=1), at=now)
    assert report.drifted == len(report.details["drifts"])
    return report.details["drifts"]


def test_books_that_agree_show_no_drift():
    payment = make_captured(1000)
    run(flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="a")
    run(flows.authorise, payment_id=make_payment(token="declined").pk)
    run(flows.authorise, payment_id=make_payment(token="requires_action").pk)
    rest()

    assert drifts() == []
    assert DriftReport.objects.get(subject="money").checked == 3


def test_a_refund_at_the_provider_that_the_shop_knows_nothing_of_is_drift():
    payment = make_captured(1000)
    Charge.objects.update(refunded=400)
    rest()

    assert drifts() == [
        {"what": "provider", "subject": str(payment.pk), "ours": 1000, "theirs": 600}
    ]


def test_a_charge_that_the_shop_never_asked_for_is_drift():
    charge = provider.open_charge(
        key=make_payment().pk, token="success", amount=Money(77, "USD"), wants_capture=True
    )

    assert drifts() == [
        {"what": "unknown charge", "subject": str(charge.pk), "ours": 0, "theirs": 77}
    ]


def test_a_lost_answer_is_no_drift_until_it_was_looked_up():
    run(flows.authorise, payment_id=make_payment(token="timeout_after_charge").pk)
    rest()

    assert drifts() == []


def test_a_charge_that_the_provider_does_not_know_is_drift():
    payment = make_captured(1000)
    Charge.objects.all().delete()
    rest()

    assert drifts() == [{"what": "provider", "subject": str(payment.pk), "ours": 1000, "theirs": 0}]


def test_a_payment_that_differs_from_its_ledger_is_drift():
    payment = make_captured(1000)
    LedgerEntry.objects.create(
        order=payment.order, payment=payment, key="by hand", source=Account.CLEARING,
        target=Account.REFUNDS, amount=1, currency="USD", entered_at=timezone.now(),
    )  # fmt: skip

    assert drifts() == [{"what": "ledger", "subject": str(payment.pk), "ours": 1000, "theirs": 999}]


def test_an_order_that_is_called_off_and_keeps_its_money_is_drift():
    payment = make_captured(1000)
    Order.objects.update(status="cancelled", cancelled_at=timezone.now())
    rest()

    assert drifts() == [
        {"what": "paid too much", "subject": str(payment.order_id), "ours": 0, "theirs": 1000}
    ]


def test_what_changed_just_now_is_left_for_the_next_run():
    make_captured(1000)
    Charge.objects.update(refunded=400)

    assert drifts() == []


def test_the_command_prints_what_differs_and_exits_with_1(capsys):
    payment = make_captured(1000)
    rest()
    call_command("reconcile")
    Charge.objects.update(refunded=400)

    with pytest.raises(SystemExit) as stopped:
        call_command("reconcile", days=1)

    assert stopped.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 payments checked, 0 differ",
        f"provider {payment.pk}: 1000 here, 600 there (minor units)",
        "1 payments checked, 1 differ",
    ]


def test_a_sale_is_entered_once_and_follows_the_order():
    order = order_of(1000)
    now = timezone.now()

    def owed() -> int:
        services.enter_sale(order_id=order.pk, at=now)
        return selectors.balance_of(Account.RECEIVABLE, order=order)["USD"]

    placed = [owed(), owed()]
    make_captured(400, order_id=order.pk)
    paid = owed()
    Order.objects.update(status="cancelled", cancelled_at=now)
    cancelled = [owed(), owed()]

    assert (placed, paid, cancelled) == ([1000, 1000], 600, [0, 0])
    assert selectors.balance_of(Account.SALES, order=order) == {"USD": -400}
    assert LedgerEntry.objects.filter(order=order, payment=None).count() == 2


def test_a_draft_is_not_sold():
    order = order_of(1000)
    Order.objects.update(status="draft", number=None, placed_at=None)

    services.enter_sale(order_id=order.pk, at=timezone.now())

    assert not LedgerEntry.objects.exists()

"""Money under races: never taken twice, never given back beyond what was taken."""

from collections import Counter
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from lavka.kernel.money import Money
from lavka.payments import flows, selectors, services
from lavka.payments.errors import NotCapturable, NotRefundable, NotVoidable, PaymentOpen
from lavka.payments.models import LedgerEntry, Operation, Payment
from lavka.payments.rules import Account
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.happening import SYSTEM
from tests.payments.factories import make_captured, make_payment, order_of, run
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def status(flow: Any, **arguments: Any) -> str:
    return str(run(flow, **arguments).status)


def make_authorised(settings: Any, amount: int = 1000) -> Payment:
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment = make_payment(amount)
    run(flows.authorise, payment_id=payment.pk)
    return payment


def clearing(payment: Payment) -> int:
    return selectors.balance_of(Account.CLEARING, payment=payment).get("USD", 0)


def test_one_payment_asked_for_by_many_is_charged_once():
    payment = make_payment(1000)

    outcomes = race(lambda: status(flows.authorise, payment_id=payment.pk), times=8)

    assert set(outcomes) <= {"captured", "pending"}
    assert (Charge.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    assert clearing(payment) == 1000


def test_an_order_is_opened_for_one_payment_only():
    order = order_of(1000)

    outcomes = race(lambda: make_payment(1000, order_id=order.pk).status, times=8)

    assert Counter(outcomes) == {"pending": 1, PaymentOpen: 7}
    assert Payment.objects.count() == 1


def test_parallel_refunds_never_exceed_what_was_captured():
    payment = make_captured(1000)
    keys = iter("abcdefgh")

    outcomes = race(
        lambda: status(
            flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key=next(keys)
        ),
        times=8,
    )

    payment.refresh_from_db()
    assert Counter(outcomes) == {"partially_refunded": 3, NotRefundable: 5}
    assert (payment.refunded, payment.refunding, Charge.objects.get().refunded) == (900, 0, 900)
    assert clearing(payment) == 100


def test_the_same_refund_sent_many_times_is_one_refund():
    payment = make_captured(1000)

    outcomes = race(
        lambda: status(flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="a"),
        times=8,
    )

    payment.refresh_from_db()
    assert set(outcomes) <= {"partially_refunded", "pending"}
    assert (payment.refunded, Operation.objects.filter(kind="refund").count()) == (300, 1)


def read_then_write(payment_id: Any, key: str) -> None:
    """`begin_refund` without its lock, and with arithmetic in Python."""
    with transaction.atomic():
        payment = Payment.objects.get(pk=payment_id)
        if payment.amounts.refundable < 300:
            raise NotRefundable(available=0)
        payment.refunding += 300
        payment.save()
        Operation.objects.create(
            payment=payment, kind="refund", key=key, amount=300, started_at=timezone.now()
        )


def test_control_read_then_write_claims_more_than_was_captured():
    """If this fails, `race` overlaps nothing and the tests above prove nothing."""
    for _ in range(5):
        payment = make_captured(500)
        keys = iter("abcdefgh")
        race(lambda: read_then_write(payment.pk, next(keys)), times=8)  # noqa: B023
        if Operation.objects.filter(payment=payment, kind="refund").count() > 1:
            return
    pytest.fail("two refunds of 300 out of 500 never met")


def test_cancel_against_capture_ends_one_way_or_the_other(settings):
    payment = make_authorised(settings)
    flow = iter([flows.capture, flows.void] * 4)

    outcomes = race(lambda: status(next(flow), payment_id=payment.pk), times=8)

    payment.refresh_from_db()
    charge = Charge.objects.get()
    assert {each for each in outcomes if isinstance(each, type)} <= {NotCapturable, NotVoidable}
    assert sorted([payment.captured, payment.voided]) == [0, 1000]
    assert (charge.captured, charge.voided) == (payment.captured, payment.voided)
    assert payment.status in {"captured", "voided"}
    assert clearing(payment) == payment.captured


def test_parallel_partial_captures_never_exceed_what_is_authorised(settings):
    payment = make_authorised(settings)
    keys = iter("abcdefgh")

    outcomes = race(
        lambda: status(
            flows.capture, payment_id=payment.pk, amount=Money(300, "USD"), key=next(keys)
        ),
        times=8,
    )

    payment.refresh_from_db()
    assert Counter(outcomes) == {"captured": 3, NotCapturable: 5}
    assert (payment.captured, payment.capturing, Charge.objects.get().captured) == (900, 0, 900)


def test_the_answer_the_webhook_and_the_sweeper_record_it_once():
    payment = make_payment(1000, token="timeout_after_charge")
    run(flows.authorise, payment_id=payment.pk)
    operation = payment.operations.get()

    outcomes = race(lambda: async_to_sync(flows.resolve)(operation_id=operation.pk), times=8)

    assert not [each for each in outcomes if isinstance(each, type)]
    assert (LedgerEntry.objects.count(), clearing(payment)) == (1, 1000)


def test_a_customer_who_confirms_while_their_payment_is_given_up_is_not_charged_for_nothing():
    payment = make_payment(1000, token="requires_action")
    run(flows.authorise, payment_id=payment.pk)
    charge = Charge.objects.get()
    services.abandon_payments(order_id=payment.order_id, actor=SYSTEM, at=timezone.now())
    calls = iter(
        [
            lambda: provider.confirm_charge(charge_id=charge.pk, is_confirmed=True).status,
            lambda: async_to_sync(flows.give_back)(payment_id=payment.pk, actor=SYSTEM),
            lambda: status(flows.authorise, payment_id=payment.pk),
        ]
    )

    race(lambda: next(calls)(), times=3)  # noqa: PLW0108 - each thread takes its own
    for _ in range(3):
        Operation.objects.update(started_at=timezone.now() - selectors.PATIENCE, looked_up_at=None)
        run(flows.sweep)

    payment.refresh_from_db()
    charge.refresh_from_db()
    assert payment.status in {"voided", "refunded"}
    assert charge.captured == charge.refunded
    assert clearing(payment) == 0


def test_the_sandbox_counts_a_key_once():
    charge = provider.open_charge(
        key=make_payment().pk, token="success", amount=Money(1000, "USD"), wants_capture=True
    )
    key = make_payment().pk

    race(
        lambda: provider.change_charge(
            key=key, charge_id=charge.pk, kind=provider.Kind.REFUND, amount=300
        ),
        times=8,
    )

    charge.refresh_from_db()
    assert charge.refunded == 300


@pytest.mark.parametrize(
    "change",
    [
        {"captured": F("authorised") + 1},
        {"refunding": F("captured") + 1},
        {"status": "authorised"},
        {"authorised": F("amount") + 1},
    ],
)
def test_the_database_refuses_sums_that_no_payment_may_have(change):
    payment = make_captured(1000)

    with pytest.raises(IntegrityError):
        Payment.objects.filter(pk=payment.pk).update(**change)


@pytest.mark.parametrize("statement", ["UPDATE {} SET amount = 1", "DELETE FROM {}"])
def test_the_ledger_can_only_grow(statement):
    make_captured(1000)

    with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement.format(LedgerEntry._meta.db_table))

    assert LedgerEntry.objects.get().amount == 1000

"""Money moves once, whatever the provider answers, and whoever asks again."""

import pytest
from django.utils import timezone

from lavka.kernel.errors import Invalid
from lavka.kernel.models import OutboxEvent
from lavka.kernel.money import CurrencyMismatch, Money
from lavka.payments import flows, selectors, services
from lavka.payments.errors import NotCapturable, NothingDue, NotRefundable, NotVoidable, PaymentOpen
from lavka.payments.models import LedgerEntry, Operation, Payment
from lavka.payments.rules import Account, PaymentInput
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.happening import SYSTEM
from tests.payments.factories import make_captured, make_payment, order_of, run

pytestmark = pytest.mark.django_db


def event_names() -> list[str]:
    found = OutboxEvent.objects.filter(name__startswith="payments.payment").order_by("id")
    return list(found.values_list("name", flat=True))


def authorise_later(settings) -> None:
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}


def test_success_takes_the_money_and_enters_it_into_the_ledger():
    payment = make_payment(1299)

    outcome = run(flows.authorise, payment_id=payment.pk)

    payment.refresh_from_db()
    charge, entry = Charge.objects.get(), LedgerEntry.objects.get()
    assert outcome == flows.Outcome(payment.pk, "captured")
    assert (payment.authorised, payment.captured, payment.amounts.refundable) == (1299, 1299, 1299)
    assert (charge.captured, payment.reference) == (1299, str(charge.pk))
    assert (entry.source, entry.target, entry.amount) == ("receivable", "clearing", 1299)
    assert event_names() == ["payments.payment_captured"]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("declined", "declined"),
        ("insufficient_funds", "insufficient_funds"),
        ("no-such-token", "unknown_token"),
    ],
)
def test_a_refusal_names_its_reason_and_moves_nothing(token, reason):
    payment = make_payment(token=token)

    outcome = run(flows.authorise, payment_id=payment.pk)

    payment.refresh_from_db()
    assert outcome == flows.Outcome(payment.pk, "declined", None, reason)
    assert (payment.status, payment.reason, payment.authorised) == ("failed", reason, 0)
    assert not LedgerEntry.objects.exists()
    assert event_names() == ["payments.payment_failed"]


def test_asking_again_asks_the_provider_nothing_new():
    payment = make_payment()

    outcomes = [run(flows.authorise, payment_id=payment.pk) for _ in range(3)]

    assert [each.status for each in outcomes] == ["captured"] * 3
    assert (Charge.objects.count(), LedgerEntry.objects.count()) == (1, 1)


def test_3d_secure_sends_the_customer_to_a_page_and_goes_on_when_they_confirmed():
    payment = make_payment(token="requires_action")

    first = run(flows.authorise, payment_id=payment.pk)
    charge = Charge.objects.get()
    provider.confirm_charge(charge_id=charge.pk, is_confirmed=True)
    second = run(flows.authorise, payment_id=payment.pk)

    page = f"http://127.0.0.1:8000/sandbox/challenges/{charge.page_key}/"
    assert (first.status, first.action) == ("requires_action", {"type": "redirect", "url": page})
    assert (second.status, second.action) == ("captured", None)


def test_3d_secure_refused_is_a_refusal():
    payment = make_payment(token="requires_action")
    run(flows.authorise, payment_id=payment.pk)

    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=False)
    outcome = run(flows.authorise, payment_id=payment.pk)

    assert (outcome.status, outcome.reason) == ("declined", "authentication_failed")


def test_a_lost_answer_leaves_the_payment_pending_until_it_is_looked_up():
    payment = make_payment(token="timeout_after_charge")

    first = run(flows.authorise, payment_id=payment.pk)
    second = run(flows.authorise, payment_id=payment.pk)

    assert (first.status, second.status) == ("pending", "captured")
    assert (Charge.objects.count(), LedgerEntry.objects.count()) == (1, 1)


def test_a_request_that_never_arrived_fails_when_its_lease_is_over():
    payment = make_payment(token="error")
    first = run(flows.authorise, payment_id=payment.pk)
    early = run(flows.authorise, payment_id=payment.pk)

    expire_operations()
    run(flows.sweep)

    payment.refresh_from_db()
    assert (first.status, early.status) == ("pending", "pending")
    assert (payment.status, payment.operations.get().reason) == ("failed", "never_arrived")
    assert not Charge.objects.exists()


def expire_operations() -> None:
    long_ago = timezone.now() - selectors.PATIENCE
    Operation.objects.update(started_at=long_ago, looked_up_at=None)


def test_an_authorisation_is_captured_in_parts_and_no_more_than_it_holds(settings):
    authorise_later(settings)
    payment = make_payment(1000)

    authorised = run(flows.authorise, payment_id=payment.pk)
    part = run(flows.capture, payment_id=payment.pk, amount=Money(400, "USD"), key="first")
    again = run(flows.capture, payment_id=payment.pk, amount=Money(400, "USD"), key="first")
    with pytest.raises(NotCapturable) as refused:
        run(flows.capture, payment_id=payment.pk, amount=Money(601, "USD"), key="second")
    rest = run(flows.capture, payment_id=payment.pk)
    nothing = run(flows.capture, payment_id=payment.pk)

    statuses = [each.status for each in (authorised, part, again, rest, nothing)]
    assert statuses == ["authorised", "captured", "captured", "captured", "captured"]
    assert refused.value.details == {"payment": str(payment.pk), "available": 600}
    assert Charge.objects.get().captured == 1000
    assert selectors.balance_of(Account.CLEARING, payment=payment) == {"USD": 1000}
    assert event_names() == [
        "payments.payment_authorised", "payments.payment_captured", "payments.payment_captured",
    ]  # fmt: skip


def test_refunds_add_up_to_what_was_captured_and_no_further():
    payment = make_captured(1000)

    first = run(flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="a")
    again = run(flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="a")
    with pytest.raises(NotRefundable) as refused:
        run(flows.refund, payment_id=payment.pk, amount=Money(701, "USD"), key="b")
    rest = run(flows.refund, payment_id=payment.pk, key="c")
    nothing = run(flows.refund, payment_id=payment.pk, key="d")

    payment.refresh_from_db()
    statuses = [each.status for each in (first, again, rest, nothing)]
    assert statuses == ["partially_refunded", "partially_refunded", "refunded", "refunded"]
    assert refused.value.details["available"] == 700
    assert (payment.refunded, Charge.objects.get().refunded) == (1000, 1000)
    assert selectors.balance_of(Account.CLEARING, payment=payment) == {"USD": 0}
    assert selectors.balance_of(Account.REFUNDS, payment=payment) == {"USD": 1000}


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_and_less_is_refused(amount):
    payment = make_captured(1000)

    with pytest.raises(NotRefundable):
        run(flows.refund, payment_id=payment.pk, amount=Money(amount, "USD"), key="a")
    with pytest.raises(Invalid):
        run(flows.refund, payment_id=payment.pk, amount=Money(5, "EUR"), key="a")

    assert not Operation.objects.filter(kind="refund").exists()


def test_a_void_gives_the_rest_up_and_what_is_captured_stays(settings):
    authorise_later(settings)
    payment = make_payment(1000)
    run(flows.authorise, payment_id=payment.pk)
    run(flows.capture, payment_id=payment.pk, amount=Money(400, "USD"), key="first")

    outcome = run(flows.void, payment_id=payment.pk)
    with pytest.raises(NotVoidable):
        run(flows.void, payment_id=payment.pk)
    with pytest.raises(NotCapturable):
        run(flows.capture, payment_id=payment.pk, amount=Money(1, "USD"), key="second")

    payment.refresh_from_db()
    assert outcome.status == "captured"
    assert (payment.captured, payment.voided) == (400, 600)
    assert (Charge.objects.get().captured, Charge.objects.get().voided) == (400, 600)


def test_a_whole_void_can_be_asked_for_twice(settings):
    authorise_later(settings)
    payment = make_payment(1000)
    run(flows.authorise, payment_id=payment.pk)

    outcomes = [run(flows.void, payment_id=payment.pk) for _ in range(2)]

    assert [each.status for each in outcomes] == ["voided", "voided"]
    assert payment.operations.filter(kind="void").count() == 1


def test_a_payment_that_waits_for_the_customer_can_be_given_up():
    payment = make_payment(token="requires_action")
    run(flows.authorise, payment_id=payment.pk)

    outcome = run(flows.void, payment_id=payment.pk)

    payment.refresh_from_db()
    assert (outcome.status, payment.action) == ("voided", None)
    assert Charge.objects.get().status == Charge.Status.CANCELLED
    assert event_names() == ["payments.payment_voided"]


def test_a_change_that_the_provider_refuses_gives_its_claim_back():
    payment = make_captured(1000)
    Charge.objects.update(refunded=900)

    outcome = run(flows.refund, payment_id=payment.pk, amount=Money(500, "USD"), key="a")

    payment.refresh_from_db()
    assert (outcome.status, outcome.reason) == ("declined", "not_possible")
    assert (payment.refunding, payment.refunded, payment.status) == (0, 0, "captured")


def test_invoices_are_authorised_by_the_order_and_captured_by_staff():
    payment = make_payment(1000, token="", method="invoice")

    outcomes = [
        run(flows.authorise, payment_id=payment.pk),
        run(flows.capture, payment_id=payment.pk),
        run(flows.refund, payment_id=payment.pk, amount=Money(1, "USD"), key="a"),
    ]

    # A manual gateway has no will of its own, whatever CAPTURES_AT_ONCE says.
    assert [each.status for each in outcomes] == ["authorised", "captured", "partially_refunded"]


def test_an_order_has_one_undecided_payment_at_a_time():
    first = make_payment()

    with pytest.raises(PaymentOpen) as refused:
        make_payment(order_id=first.order_id)
    run(flows.authorise, payment_id=first.pk)
    Payment.objects.filter(pk=first.pk).update(status="refunded", refunded=1000)
    second = make_payment(order_id=first.order_id)

    assert refused.value.details == {"payment": str(first.pk)}
    assert list(selectors.payments_of(first.order_id)) == [first, second]


def test_no_more_is_asked_for_than_the_order_costs():
    order = order_of(1000)
    make_captured(400, order_id=order.pk)

    with pytest.raises(NothingDue) as refused:
        make_payment(601, order_id=order.pk)
    make_captured(600, order_id=order.pk)

    assert refused.value.details == {"order": str(order.pk), "due": 600}


def test_another_currency_than_the_orders_is_refused():
    with pytest.raises(CurrencyMismatch):
        services.open_payment(
            order_id=order_of(1000).pk,
            amount=Money(5, "EUR"),
            means=PaymentInput(method="sandbox", token="success"),
            at=timezone.now(),
        )


def test_the_order_keeps_the_sums_of_its_payments(settings):
    order = order_of(1000)
    first = make_captured(400, order_id=order.pk)
    authorise_later(settings)
    second = make_payment(600, order_id=order.pk)
    run(flows.authorise, payment_id=second.pk)
    run(flows.refund, payment_id=first.pk, amount=Money(150, "USD"), key="a")

    order.refresh_from_db()
    sums = (order.authorised_amount, order.captured_amount, order.refunded_amount)
    assert sums == (600, 400, 150)


def test_opening_again_with_the_same_key_is_the_same_payment():
    first = make_payment(key="checkout 1")

    second = make_payment(key="checkout 1", order_id=first.order_id)

    assert first == second


def test_a_method_that_the_shop_does_not_take_is_refused():
    with pytest.raises(Invalid) as refused:
        make_payment(method="shells")

    assert [each.pointer for each in refused.value.errors] == ["#/payment/method"]
    assert not Payment.objects.exists()


def test_what_an_abandoned_payment_holds_goes_back(settings):
    captured = make_captured(1000)
    order_id = captured.order_id
    authorise_later(settings)
    authorised = make_payment(500, order_id=order_id)
    run(flows.authorise, payment_id=authorised.pk)
    waiting = make_payment(200, order_id=order_id, token="requires_action")
    run(flows.authorise, payment_id=waiting.pk)

    affected = services.abandon_payments(order_id=order_id, actor=SYSTEM, at=timezone.now())
    for _ in range(2):
        run(flows.sweep)

    statuses = list(selectors.payments_of(order_id).values_list("status", flat=True))
    assert affected == [captured.pk, authorised.pk, waiting.pk]
    assert statuses == ["refunded", "voided", "voided"]
    assert selectors.balance_of(Account.CLEARING, order_id=order_id) == {"USD": 0}
    assert not Payment.objects.to_give_back().exists()


def test_an_abandoned_payment_that_nobody_was_asked_for_just_fails():
    payment = make_payment()

    affected = services.abandon_payments(order_id=payment.order_id, actor=SYSTEM, at=timezone.now())
    outcome = run(flows.authorise, payment_id=payment.pk)

    assert affected == []
    assert outcome.status == "declined"
    assert not Charge.objects.exists()


def test_a_payment_that_is_approved_after_it_was_given_up_goes_back():
    payment = make_payment(token="timeout_after_charge")
    run(flows.authorise, payment_id=payment.pk)
    operation = payment.operations.get()
    services.give_up_operation(operation_id=operation.pk, at=timezone.now())

    run(flows.resolve, operation_id=operation.pk)
    payment.refresh_from_db()
    late = payment.status
    run(flows.sweep)

    payment.refresh_from_db()
    assert (late, payment.status) == ("captured", "refunded")
    assert Charge.objects.get().refunded == 1000


def test_an_abandoned_payment_is_not_begun_any_more():
    payment = make_payment()
    Payment.objects.filter(pk=payment.pk).update(abandoned_at=timezone.now())

    run(flows.give_back, payment_id=payment.pk)

    assert not Charge.objects.exists()
    assert not Operation.objects.exists()


def test_a_payment_that_its_customer_left_at_the_bank_expires():
    left, fresh = (make_payment(token="requires_action") for _ in range(2))
    for payment in (left, fresh):
        run(flows.authorise, payment_id=payment.pk)
    Payment.objects.filter(pk=left.pk).update(created_at=timezone.now() - selectors.EXPIRY)

    run(flows.sweep)

    left.refresh_from_db()
    fresh.refresh_from_db()
    assert (left.status, fresh.status) == ("voided", "requires_action")


def test_a_provider_that_refuses_to_give_back_is_not_asked_without_end():
    payment = make_captured(1000)
    services.abandon_payments(order_id=payment.order_id, actor=SYSTEM, at=timezone.now())
    Charge.objects.update(refunded=1000)

    for _ in range(selectors.REFUSALS + 2):
        run(flows.sweep)

    assert payment.operations.filter(kind="refund").count() == selectors.REFUSALS
    Operation.objects.filter(kind="refund").update(finished_at=timezone.now() - selectors.RESPITE)
    Charge.objects.update(refunded=0)
    run(flows.sweep)
    payment.refresh_from_db()
    assert payment.status == "refunded"

"""Killed at each step, a payment is finished by the next call or the sweeper: charged once."""

from typing import Any

import pytest
from django.utils import timezone

from lavka.kernel import events
from lavka.payments import flows, selectors, services
from lavka.payments.gateways.sandbox import Sandbox
from lavka.payments.models import LedgerEntry, Operation, Payment
from lavka.payments.rules import Account
from lavka.payments.sandbox.models import Charge
from tests.payments.factories import make_payment, run
from tests.payments.kills import killed

pytestmark = pytest.mark.django_db

# Before the provider is asked, after it answered, and within the commit that records its answer.
POINTS: dict[str, tuple[Any, str]] = {
    "asking": (Sandbox, ""),
    "recording": (services, "record_answer"),
    "committing": (events, "publish"),
}


def die_at(point: str, kind: str) -> Any:
    place, name = POINTS[point]
    return killed(place, name or kind)


def let_leases_end() -> None:
    Operation.objects.update(started_at=timezone.now() - selectors.LEASE, looked_up_at=None)


def prepared(settings: Any, kind: str) -> Payment:
    """A payment on which `kind` is the next step."""
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": kind not in {"capture", "void"}}
    payment = make_payment(1000)
    if kind != "authorise":
        run(flows.authorise, payment_id=payment.pk)
    return payment


def step(kind: str, payment: Payment) -> flows.Outcome:
    key = {"key": "a"} if kind == "refund" else {}
    outcome: flows.Outcome = run(getattr(flows, kind), payment_id=payment.pk, **key)
    return outcome


ENDS = {"authorise": "captured", "capture": "captured", "void": "voided", "refund": "refunded"}
CLEARED = {"authorise": 1000, "capture": 1000, "void": None, "refund": 0}


@pytest.mark.parametrize("point", ["recording", "committing"])
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("finisher", ["sweeper", "second call"])
def test_killed_after_the_provider_acted(settings, kind, point, finisher):
    payment = prepared(settings, kind)
    with die_at(point, kind):
        step(kind, payment)
    cut_off = payment.operations.get(kind=kind)

    if finisher == "sweeper":
        let_leases_end()
        run(flows.sweep)
    else:
        step(kind, payment)

    payment.refresh_from_db()
    assert cut_off.state == "started"
    assert payment.status == ENDS[kind]
    assert payment.operations.get(kind=kind).state == "succeeded"
    assert selectors.balance_of(Account.CLEARING, payment=payment).get("USD") == CLEARED[kind]
    assert Charge.objects.count() == 1


@pytest.mark.parametrize("kind", ["capture", "void", "refund"])
def test_killed_before_the_provider_was_asked_the_change_is_sent_again(settings, kind):
    payment = prepared(settings, kind)
    with die_at("asking", kind):
        step(kind, payment)
    claimed = Payment.objects.get(pk=payment.pk)

    let_leases_end()
    run(flows.sweep)

    payment.refresh_from_db()
    assert 1000 in {claimed.capturing, claimed.voiding, claimed.refunding}
    assert payment.status == ENDS[kind]
    assert Charge.objects.get().changes.count() == 1


def test_killed_before_the_provider_was_asked_for_money_nobody_is_charged():
    payment = make_payment(1000)
    with die_at("asking", "authorise"):
        step("authorise", payment)

    let_leases_end()
    run(flows.sweep)
    again = step("authorise", payment)

    assert (again.status, again.reason) == ("declined", "never_arrived")
    assert not Charge.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_killed_while_recording_nothing_of_the_record_is_there():
    payment = make_payment(1000)

    with die_at("committing", "authorise"):
        step("authorise", payment)

    payment.refresh_from_db()
    payment.order.refresh_from_db()
    assert (payment.status, payment.captured, payment.order.captured_amount) == ("pending", 0, 0)
    assert not LedgerEntry.objects.exists()


def test_a_sweep_that_is_killed_is_finished_by_the_next():
    payments = [make_payment(1000, token="timeout_after_charge") for _ in range(2)]
    for payment in payments:
        step("authorise", payment)
    let_leases_end()
    with die_at("recording", "authorise"):
        run(flows.sweep)

    let_leases_end()
    run(flows.sweep)

    statuses = set(Payment.objects.values_list("status", flat=True))
    assert (statuses, LedgerEntry.objects.count()) == ({"captured"}, 2)


def test_one_that_cannot_be_finished_does_not_stand_in_the_way_of_others(caplog):
    broken, fine = (make_payment(1000, token="timeout_after_charge") for _ in range(2))
    for payment in (broken, fine):
        step("authorise", payment)
    Payment.objects.filter(pk=broken.pk).update(method="gone")
    let_leases_end()

    run(flows.sweep)

    fine.refresh_from_db()
    assert fine.status == "captured"
    assert str(broken.operations.get().pk) in caplog.text

"""What an order holds beyond its total goes back, however often the provider refuses at first."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from lavka.checkout import flows, tasks
from lavka.inventory import services as inventory
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.orders.services import EditWish
from lavka.payments import flows as payments
from lavka.payments import selectors, services
from lavka.payments.models import Operation, Payment
from lavka.payments.sandbox.models import Charge
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.payments.factories import run

pytestmark = pytest.mark.django_db

# 52.76 were paid for three pieces; two cost 37.18.
SURPLUS = 5276 - 3718


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def edited_order(means: str) -> Order:
    """An order that was paid with three pieces, of which one was taken out again."""
    buyer = Buyer(Api(), make_ready_cart(make_stock(10), quantity=3))
    order = Order.objects.get(pk=buyer.check_out(means=means).json()["order"]["id"])
    wish = EditWish(quantities={order.lines.get().pk: 2})
    return orders.edit_order(
        order_id=order.pk, wish=wish, expected_total=3718, actor=SYSTEM, at=timezone.now()
    )


def given_up_order(means: str) -> Order:
    """A draft that was paid when its stock had gone to somebody else."""
    variant = make_stock(1)
    late = Buyer(Api(), make_ready_cart(variant))
    order_id = late.check_out(means="requires_action").json()["order"]["id"]
    inventory.release_reservation(holder=late.cart.pk)
    assert Buyer(Api(), make_ready_cart(variant)).check_out().status_code == 201
    charge = Charge.objects.get(token="requires_action")
    charge.token, charge.status, charge.captured = means, "approved", charge.amount
    charge.save()
    services.abandon_payments(order_id=order_id, actor=SYSTEM, at=timezone.now())
    return Order.objects.get(pk=order_id)


def let_hours_pass() -> None:
    ago = timezone.now() - timedelta(hours=2)
    Operation.objects.update(started_at=ago, looked_up_at=None)
    Operation.objects.exclude(finished_at=None).update(finished_at=ago)
    Payment.objects.update(updated_at=ago)
    Order.objects.update(updated_at=ago)


def reconciled(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with contextlib.suppress(SystemExit):
        call_command("reconcile")
    return capsys.readouterr().out.splitlines()


def test_a_refused_surplus_is_tried_again_until_it_goes(capsys):
    order = edited_order("refund_declined")
    tasks.refund_surplus(order_id=str(order.pk))
    tries = [tasks.sweep_refunds() for _ in range(10)]
    let_hours_pass()
    meanwhile = reconciled(capsys)
    Charge.objects.update(token="success")

    tasks.sweep_refunds()
    let_hours_pass()

    # Five refusals, then a pause.
    assert tries == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert meanwhile == [
        f"paid too much {order.pk}: 3718 here, 5276 there (minor units)",
        "1 payments checked, 1 differ",
    ]
    order.refresh_from_db()
    assert order.refunded_amount == Charge.objects.get().refunded == SURPLUS
    assert reconciled(capsys) == ["1 payments checked, 0 differ"]
    assert tasks.sweep_refunds() == 0


def test_a_surplus_whose_answer_was_lost_goes_once():
    order = edited_order("timeout_after_refund")
    for _ in range(3):
        tasks.refund_surplus(order_id=str(order.pk))
        tasks.sweep_refunds()
        let_hours_pass()
        run(payments.sweep)

    order.refresh_from_db()
    assert order.refunded_amount == Charge.objects.get().refunded == SURPLUS
    assert Operation.objects.filter(kind="refund").count() == 1


def test_a_surplus_of_which_nobody_told_is_found_by_the_sweeper():
    order = edited_order("success")

    tried = tasks.sweep_refunds()

    order.refresh_from_db()
    assert (tried, order.refunded_amount) == (1, SURPLUS)


def test_a_surplus_that_another_edit_needs_again_stays():
    order = edited_order("refund_declined")
    tasks.refund_surplus(order_id=str(order.pk))
    wish = EditWish(quantities={order.lines.get().pk: 3})
    orders.edit_order(
        order_id=order.pk, wish=wish, expected_total=5276, actor=SYSTEM, at=timezone.now()
    )
    Charge.objects.update(token="success")

    assert tasks.sweep_refunds() == 0
    assert Charge.objects.get().refunded == 0


def test_money_for_no_order_is_tried_again_until_it_goes(capsys):
    order = given_up_order("refund_declined")
    tries = []
    for _ in range(8):
        Operation.objects.update(started_at=timezone.now() - selectors.PATIENCE, looked_up_at=None)
        tries.append(run(payments.sweep))
    let_hours_pass()
    meanwhile = reconciled(capsys)
    Charge.objects.filter(token="refund_declined").update(token="success")

    run(payments.sweep)
    let_hours_pass()

    assert tries[-1] == 0
    assert (
        f"paid too much {order.pk}: 0 here, {order.total_amount} there (minor units)" in meanwhile
    )
    order.refresh_from_db()
    assert (order.status, order.refunded_amount) == ("draft", order.total_amount)
    assert reconciled(capsys) == ["2 payments checked, 0 differ"]


def test_a_surplus_is_refunded_once_by_a_flow_that_runs_twice():
    order = edited_order("success")

    for _ in range(2):
        run(flows.refund_surplus, order_id=order.pk)

    assert Charge.objects.get().refunded == SURPLUS

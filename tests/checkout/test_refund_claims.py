"""A refund of pieces that is cut off anywhere is finished, or counted back: once, and whole."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lavka.checkout import flows, services, tasks
from lavka.checkout.models import RefundClaim
from lavka.checkout.rules import pause_after
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest
from lavka.fulfilment.services import Parcel, ReturnWish
from lavka.orders.models import Order, OrderLine
from lavka.payments import flows as payments
from lavka.payments import selectors as payment_selectors
from lavka.payments import services as payment_services
from lavka.payments.errors import PaymentDeclined
from lavka.payments.gateways.sandbox import Sandbox
from lavka.payments.models import Operation
from lavka.payments.sandbox.models import Charge
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.orders.factories import make_line, make_order
from tests.payments.factories import make_captured, order_of, run
from tests.payments.kills import killed

pytestmark = pytest.mark.django_db

# Of 4676 that three pieces with their tax cost.
ONE_PIECE, TWO_PIECES = 1559, 3117

# Claimed; written down for the provider; answered; recorded; settled.
POINTS: dict[str, tuple[Any, str]] = {
    "claimed": (payment_services, "begin_refund"),
    "asking": (Sandbox, "refund"),
    "recording": (payment_services, "record_answer"),
    "settling": (services, "settle_claim"),
}


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def paid_order(means: str = "success") -> Order:
    """Three pieces of 12.99 with 20 % tax, 5.00 for shipping: 52.76 in all."""
    buyer = Buyer(Api(), make_ready_cart(make_stock(10), quantity=3))
    placed = buyer.check_out(means=means).json()["order"]
    return Order.objects.get(pk=placed["id"])


def received_return(order: Order, pieces: int) -> ReturnRequest:
    now, line = timezone.now(), order.lines.get().pk
    fulfilment.send_shipment(
        order_id=order.pk, parcel=Parcel(quantities={line: 3}), actor=SYSTEM, at=now
    )
    wish = ReturnWish(quantities={line: pieces}, reason="unwanted")
    asked = fulfilment.request_return(order_id=order.pk, wish=wish, actor=SYSTEM, at=now)
    fulfilment.decide_return(return_id=asked.pk, is_approved=True, actor=SYSTEM, at=now)
    return fulfilment.receive_return(return_id=asked.pk, restock=True, actor=SYSTEM, at=now)


def refund_pieces(order: Order, pieces: int, key: str = "a") -> None:
    quantities = {order.lines.get().pk: pieces}
    run(flows.refund_lines, order_id=order.pk, quantities=quantities, key=key)


def let_leases_end() -> None:
    now = timezone.now()
    RefundClaim.objects.update(due_at=now)
    Operation.objects.update(started_at=now - payment_selectors.LEASE, looked_up_at=None)


def books(order: Order) -> tuple[int, int, int]:
    """Pieces that count as refunded, and what went back: in the shop's books, in the provider's."""
    order.refresh_from_db()
    charge = Charge.objects.get()
    return OrderLine.objects.get().refunded_quantity, order.refunded_amount, charge.refunded


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("finisher", ["sweeper", "payments first", "second call"])
def test_killed_anywhere_the_pieces_are_paid_back_once(point: str, finisher: str):
    order = paid_order()
    with killed(*POINTS[point]):
        refund_pieces(order, 2)
    cut_off = RefundClaim.objects.get()

    let_leases_end()
    if finisher == "payments first":
        run(payments.sweep)
    if finisher == "second call":
        refund_pieces(order, 2)
    else:
        tasks.sweep_refunds()

    assert cut_off.state == "claimed"
    assert RefundClaim.objects.get().state == "paid"
    assert books(order) == (2, TWO_PIECES, TWO_PIECES)
    assert Operation.objects.filter(kind="refund").count() == 1


@pytest.mark.parametrize("point", POINTS)
def test_a_return_whose_refund_is_killed_is_refunded_by_the_sweeper(point: str):
    order = paid_order()
    received = received_return(order, 2)
    with killed(*POINTS[point]):
        run(flows.refund_return, return_id=received.pk)

    let_leases_end()
    tasks.sweep_refunds()
    run(flows.refund_return, return_id=received.pk)

    received.refresh_from_db()
    assert received.status == "refunded"
    assert books(order) == (2, TWO_PIECES, TWO_PIECES)


def test_killed_within_the_claim_nothing_is_counted():
    order = paid_order()
    received = received_return(order, 2)

    with killed(RefundClaim.objects, "create"):
        run(flows.refund_return, return_id=received.pk)

    received.refresh_from_db()
    assert received.status == "received"
    assert books(order) == (0, 0, 0)


def test_a_sweeper_that_is_killed_leaves_the_rest_to_the_next():
    order = paid_order()
    with killed(*POINTS["claimed"]):
        refund_pieces(order, 1)
    let_leases_end()
    with killed(*POINTS["settling"]):
        tasks.sweep_refunds()

    at_once = tasks.sweep_refunds()
    let_leases_end()
    later = tasks.sweep_refunds()

    assert (at_once, later) == (0, 1)
    assert books(order) == (1, ONE_PIECE, ONE_PIECE)


def test_what_the_provider_refuses_is_counted_back():
    order = paid_order()
    received = received_return(order, 1)
    Charge.objects.update(refunded=5276)

    with pytest.raises(PaymentDeclined):
        run(flows.refund_return, return_id=received.pk)

    received.refresh_from_db()
    assert received.status == "received"
    assert OrderLine.objects.get().refunded_quantity == 0
    assert RefundClaim.objects.get().state == "released"


def test_what_is_refused_after_a_crash_is_counted_back_by_the_sweeper(caplog):
    order = paid_order()
    with killed(*POINTS["claimed"]):
        refund_pieces(order, 1)
    Charge.objects.update(refunded=5276)

    let_leases_end()
    tasks.sweep_refunds()

    assert RefundClaim.objects.get().state == "released"
    assert OrderLine.objects.get().refunded_quantity == 0
    assert "payment_declined" in caplog.text


def test_a_refused_refund_may_be_asked_for_again_with_its_key():
    order = paid_order()
    Charge.objects.update(refunded=5276)
    with pytest.raises(PaymentDeclined):
        refund_pieces(order, 1)
    Charge.objects.update(refunded=0)

    refund_pieces(order, 1)

    assert books(order) == (1, ONE_PIECE, ONE_PIECE)
    assert sorted(each.state for each in RefundClaim.objects.all()) == ["paid", "released"]


def test_one_key_claims_once():
    order = paid_order()

    for _ in range(3):
        refund_pieces(order, 1)

    assert books(order) == (1, ONE_PIECE, ONE_PIECE)


def test_what_has_gone_in_part_is_not_counted_back_but_tried_until_the_rest_goes():
    order = order_of(1000)
    first, second = (make_captured(part, order_id=order.pk) for part in (600, 400))
    Charge.objects.filter(pk=second.reference).update(refunded=400)
    with pytest.raises(PaymentDeclined):
        refund_pieces(order, 1)
    refused = RefundClaim.objects.get()
    Charge.objects.filter(pk=second.reference).update(refunded=0)

    early = tasks.sweep_refunds()
    let_leases_end()
    late = tasks.sweep_refunds()

    order.refresh_from_db()
    assert (early, late) == (0, 1)
    assert (refused.state, RefundClaim.objects.get().state) == ("claimed", "paid")
    assert order.refunded_amount == 1000
    assert [each.operations.filter(kind="refund", state="succeeded").count()
            for each in (first, second)] == [1, 1]  # fmt: skip


def test_pieces_that_cost_nothing_need_no_provider():
    order = make_order(make_line(unit_price=0, quantity=1, tax=0))

    refund_pieces(order, 1)

    assert RefundClaim.objects.get().state == "paid"
    assert not Operation.objects.exists()


def test_pauses_grow_to_six_hours():
    pauses = [pause_after(attempts) // timedelta(minutes=1) for attempts in (0, 1, 2, 8, 9, 10**6)]

    assert pauses == [1, 2, 4, 256, 360, 360]

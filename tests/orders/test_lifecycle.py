from collections.abc import Callable
from functools import partial

import pytest
from django.utils import timezone

from lavka.kernel.actors import Actor
from lavka.kernel.models import OutboxEvent
from lavka.orders import services, tokens
from lavka.orders.errors import MoreThanLeft, OrderInTheWrongState
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import PaymentSums
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import counters
from tests.orders.factories import make_draft, make_order, make_stocked_order
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(order: Order) -> Order:
    return services.cancel_order(order_id=order.pk, actor=SYSTEM, at=timezone.now())


def fulfil(order: Order, *quantities: int) -> Order:
    """Ship so many pieces of the order's lines, in their order."""
    lines = zip(order.lines.values_list("pk", flat=True), quantities, strict=False)
    return services.fulfil_lines(
        order_id=order.pk,
        quantities={line: pieces for line, pieces in lines if pieces},
        actor=SYSTEM,
        at=timezone.now(),
    )


def call_next(calls: list[Callable[[], Order]]) -> Order:
    return calls.pop()()


def test_a_cancelled_order_lets_its_stock_go_and_is_told_once():
    order = make_stocked_order(2, 3)
    variants = [line.variant_id for line in order.lines.all()]

    assert [counters(each) for each in variants] == [(10, 2), (10, 3)]
    assert (cancel(order).status, cancel(order).status) == ("cancelled", "cancelled")

    assert [counters(each) for each in variants] == [(10, 0), (10, 0)]
    assert [entry.kind for entry in order.history.all()] == ["placed", "cancelled"]
    assert OutboxEvent.objects.filter(name="orders.order_cancelled").count() == 1


def test_what_was_shipped_in_part_is_not_cancelled():
    order = make_stocked_order(2)
    fulfil(order, 1)

    with pytest.raises(OrderInTheWrongState) as refused:
        cancel(order)

    assert refused.value.details == {"order": str(order.pk), "status": "partially_fulfilled"}
    assert counters(order.lines.get().variant_id) == (9, 1)


def test_an_order_is_fulfilled_with_its_last_piece():
    order = make_stocked_order(2, 1)

    states = [fulfil(order, 1).status, fulfil(order, 1).status, fulfil(order, 0, 1).status]

    assert states == ["partially_fulfilled", "partially_fulfilled", "fulfilled"]
    assert [counters(line.variant_id) for line in order.lines.all()] == [(8, 0), (9, 0)]


def test_no_more_is_shipped_than_was_bought():
    order = make_stocked_order(2)

    with pytest.raises(MoreThanLeft) as refused:
        fulfil(order, 3)

    assert refused.value.details["left"] == 2
    assert OrderLine.objects.get().fulfilled_quantity == 0
    assert counters(order.lines.get().variant_id) == (10, 2)


def test_cancel_against_ship_has_one_winner():
    for _ in range(5):
        order = make_stocked_order(2)
        calls = [partial(cancel, order), partial(fulfil, order, 2)]

        outcomes = race(partial(call_next, calls), times=2)

        assert outcomes.count(OrderInTheWrongState) == 1
        order.refresh_from_db()
        on_hand = {"cancelled": 10, "fulfilled": 8}[order.status]
        assert counters(order.lines.get().variant_id) == (on_hand, 0)


def test_an_order_is_completed_when_it_is_shipped_and_paid():
    order = make_stocked_order(2)
    fulfil(order, 2)
    assert (
        services.complete_order(order_id=order.pk, actor=SYSTEM, at=timezone.now()).status
        == "fulfilled"
    )

    services.record_payments(
        order_id=order.pk, sums=PaymentSums(0, order.total_amount), actor=SYSTEM, at=timezone.now()
    )

    assert (
        services.complete_order(order_id=order.pk, actor=SYSTEM, at=timezone.now()).status
        == "completed"
    )


def test_a_customer_cancels_their_order_and_nobody_elses(api: Api):
    customer = make_customer()
    order, foreign = make_stocked_order(customer=customer), make_stocked_order()
    token = token_of(customer)

    answer = api.post(f"/orders/{order.pk}/cancel/", {"reason": "Twice."}, token=token)
    refused = api.post(f"/orders/{foreign.pk}/cancel/", {}, token=token)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert refused.status_code == 404
    assert order.history.last().details == {"reason": "Twice."}
    assert Order.objects.get(pk=foreign.pk).status == "placed"


def test_a_guest_cancels_with_the_key(api: Api):
    order = make_stocked_order()
    path = f"/orders/{order.pk}/cancel/"

    assert api.post(path, {}).status_code == 404
    assert api.post(f"{path}?key={tokens.key_of(order.pk)}", {}).status_code == 200


def test_a_draft_cannot_be_cancelled(api: Api):
    draft = make_draft()

    answer = api.post(f"/manage/orders/{draft.pk}/cancel/", {}, token=token_of(make_staff()))

    assert answer.status_code == 404


def test_staff_cancel_and_are_named(api: Api):
    order, staff = make_stocked_order(), make_staff("orders.change_order")

    answer = api.post(f"/manage/orders/{order.pk}/cancel/", {}, token=token_of(staff))

    assert answer.json()["status"] == "cancelled"
    assert answer.json()["history"][-1]["actor"] == staff.email


def test_the_actor_of_a_change_is_kept():
    order, customer = make_order(), make_customer()

    services.cancel_order(
        order_id=order.pk, actor=Actor.customer(customer.pk), at=timezone.now(), reason=""
    )

    entry = order.history.last()
    assert (entry.actor_kind, entry.actor) == ("customer", customer)

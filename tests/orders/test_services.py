import uuid
from collections import Counter
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from lavka.kernel.models import OutboxEvent
from lavka.orders import services
from lavka.orders.errors import AlreadyPlaced
from lavka.orders.models import Order, OrderEvent
from lavka.orders.rules import EventKind, OrderStatus, PaymentSums
from tests.happening import SYSTEM
from tests.orders.factories import make_content, make_draft, make_line, make_order
from tests.racing import race

pytestmark = pytest.mark.django_db


def test_a_draft_copies_what_was_agreed_and_has_no_number():
    line = make_line(quantity=3, discount=97, tax=700)

    draft = Order.objects.get(pk=make_draft(line).pk)

    assert (draft.status, draft.number, draft.placed_at) == ("draft", None, None)
    assert draft.total_amount == 3 * 1299 - 97 + 500 + 700 + 100
    assert [(each.sku, each.quantity, each.total_amount) for each in draft.lines.all()] == [
        ("KETTLE-RED", 3, 3 * 1299 - 97)
    ]


def test_a_cart_has_one_draft_that_is_written_anew():
    first = make_draft(make_line(sku="ONE"), make_line(sku="TWO"))

    second = make_draft(make_line(sku="THREE"), cart_id=first.cart_id, shipping=0)

    assert second.pk == first.pk
    draft = Order.objects.get()
    assert [line.sku for line in draft.lines.all()] == ["THREE"]
    assert draft.total_amount == 2598 + 620


def test_a_placed_order_is_not_drafted_again():
    order = make_order()

    with pytest.raises(AlreadyPlaced) as refused:
        services.draft_order(cart_id=order.cart_id, customer_id=None, content=make_content())

    assert refused.value.details == {"order": str(order.pk)}
    assert Order.objects.get().status == OrderStatus.PLACED


def test_placing_twice_gives_one_number_one_entry_and_one_event():
    draft, now = make_draft(), timezone.now()

    first = services.place_order(order_id=draft.pk, actor=SYSTEM, at=now)
    second = services.place_order(order_id=draft.pk, actor=SYSTEM, at=now)

    assert (first.number, second.number) == (1, 1)
    assert [entry.kind for entry in first.history.all()] == [EventKind.PLACED]
    assert OutboxEvent.objects.filter(name="orders.order_placed").count() == 1


def test_a_placing_that_is_rolled_back_leaves_no_gap():
    draft = make_draft()

    with transaction.atomic():
        services.place_order(order_id=draft.pk, actor=SYSTEM, at=timezone.now())
        transaction.set_rollback(True)

    assert make_order().number == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_placings_number_without_gap_or_double():
    waiting = [make_draft().pk for _ in range(12)]

    race(
        lambda: services.place_order(order_id=waiting.pop(), actor=SYSTEM, at=timezone.now()),
        times=12,
    )

    assert sorted(Order.objects.values_list("number", flat=True)) == list(range(1, 13))


@pytest.mark.django_db(transaction=True)
def test_control_counting_the_orders_numbers_twice():
    """If this fails, the race above overlaps nothing and proves nothing."""
    outcomes: Counter[object] = Counter()
    for _ in range(5):
        waiting = [make_draft().pk for _ in range(12)]
        outcomes += Counter(race(partial(place_by_count, waiting), times=12))

    assert outcomes[IntegrityError] > 0


def place_by_count(waiting: list[uuid.UUID]) -> None:
    number = Order.objects.placed().count() + 1
    Order.objects.filter(pk=waiting.pop()).update(
        number=number, status=OrderStatus.PLACED, placed_at=timezone.now()
    )


@pytest.mark.parametrize(
    ("sums", "status"),
    [
        (PaymentSums(), "unpaid"),
        (PaymentSums(3718), "authorised"),
        (PaymentSums(2718, 1000), "partially_paid"),
        (PaymentSums(0, 3718), "paid"),
        (PaymentSums(0, 3718, 1), "partially_refunded"),
        (PaymentSums(0, 3718, 3718), "refunded"),
    ],
)
def test_the_payment_status_follows_from_the_sums(sums: PaymentSums, status: str):
    record(make_order(), sums)

    assert Order.objects.get().payment_status == status


def test_history_tells_what_moved_once():
    order = make_order()

    for sums in [
        PaymentSums(3718),
        PaymentSums(3718),
        PaymentSums(0, 3000),
        PaymentSums(0, 3000, 500),
        PaymentSums(0, 3000, 500),
    ]:
        record(order, sums)

    told = [(entry.kind, entry.details["amount"]["amount"]) for entry in order.history.all()[1:]]
    assert told == [
        ("authorised", 3718),
        ("captured", 3000),
        ("voided", 718),
        ("refunded", 500),
    ]


def test_money_that_is_taken_at_once_was_not_authorised_before():
    order = make_order()

    record(order, PaymentSums(0, 3718))

    assert [entry.kind for entry in order.history.all()] == ["placed", "captured"]


def test_no_more_is_refunded_than_was_captured():
    order = make_order()

    with pytest.raises(IntegrityError), transaction.atomic():
        record(order, PaymentSums(0, 100, 101))

    assert Order.objects.get().refunded_amount == 0


@pytest.mark.parametrize("write", ["UPDATE orders_orderevent SET kind = 'note'",
                                   "DELETE FROM orders_orderevent"])  # fmt: skip
def test_history_is_not_rewritten(write: str):
    make_order()

    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        transaction.get_connection().cursor() as cursor,
    ):
        cursor.execute(write)

    assert [entry.kind for entry in OrderEvent.objects.all()] == ["placed"]


@pytest.mark.parametrize(
    "change",
    [
        {"total_amount": 1},
        {"discount_amount": 5000},
        {"number": None},
        {"status": "cancelled"},
        {"authorised_amount": -1},
    ],
)
def test_the_database_refuses_an_order_that_does_not_add_up(change: dict):
    order = make_order()

    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(**change)


def record(order: Order, sums: PaymentSums) -> None:
    services.record_payments(order_id=order.pk, sums=sums, actor=SYSTEM, at=timezone.now())

"""Numbers have no gaps and none comes twice, whoever asks at once and whatever fails."""

import itertools
from collections import Counter
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lavka.invoices import services
from lavka.invoices.models import Invoice
from lavka.orders.models import NumberSeries, Order
from tests.orders.factories import make_order
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 8


class Refused(Exception):
    """Something after the number was taken goes wrong."""


def issue(order: Order) -> list[Invoice]:
    return services.issue_invoices(order_id=order.pk, at=timezone.now())


def numbers() -> list[int]:
    return sorted(Invoice.objects.values_list("number", flat=True))


def test_parallel_invoices_are_numbered_on():
    orders = iter([make_order() for _ in range(TIMES)])

    race(lambda: len(issue(next(orders))), times=TIMES)

    assert numbers() == [*range(1, TIMES + 1)]


def test_one_order_has_one_invoice_however_many_ask():
    order = make_order()

    outcomes = race(lambda: len(issue(order)), times=TIMES)

    assert Counter(outcomes) == {1: 1, 0: TIMES - 1}
    assert numbers() == [1]


def test_a_transaction_that_fails_leaves_no_gap():
    orders, turn = iter([make_order() for _ in range(TIMES)]), itertools.count()

    def attempt() -> int:
        with transaction.atomic():
            issued = issue(next(orders))
            if next(turn) % 2:
                raise Refused
        return len(issued)

    outcomes = race(attempt, times=TIMES)

    assert Counter(outcomes) == {1: TIMES // 2, Refused: TIMES // 2}
    assert numbers() == [*range(1, TIMES // 2 + 1)]


def test_numbers_and_instants_come_in_one_order():
    orders = [make_order() for _ in range(3)]
    now = timezone.now()
    late = now - timezone.timedelta(hours=1)

    for order, at in zip(orders, [now, late, now], strict=True):
        services.issue_invoices(order_id=order.pk, at=at)

    issued = list(Invoice.objects.order_by("number").values_list("issued_at", flat=True))
    assert issued == sorted(issued)


def test_each_kind_has_a_series_of_its_own_apart_from_orders():
    make_order()
    issue(make_order())

    assert dict(NumberSeries.objects.values_list("name", "last")) == {"orders": 2, "invoices": 1}


def test_control_a_sequence_leaves_gaps(monkeypatch: pytest.MonkeyPatch):
    """With PostgreSQL's own counter what is rolled back keeps its number."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE control_numbers")

    def from_sequence(_series: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('control_numbers')")
            return int(cursor.fetchone()[0])

    monkeypatch.setattr(services, "next_number", from_sequence)
    try:
        with transaction.atomic():
            issue(make_order())
            transaction.set_rollback(True)
        issue(make_order())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SEQUENCE control_numbers")

    assert numbers() == [2]


def test_control_the_highest_plus_one_is_given_out_twice(monkeypatch: pytest.MonkeyPatch):
    """If this fails, `race` overlaps nothing and the tests above prove nothing."""
    orders, looked = iter([make_order() for _ in range(TIMES)]), Barrier(TIMES)

    def highest_plus_one(_series: str) -> int:
        newest = Invoice.objects.order_by("-number").first()
        looked.wait(timeout=20)
        return newest.number + 1 if newest else 1

    monkeypatch.setattr(services, "next_number", highest_plus_one)

    outcomes = race(lambda: len(issue(next(orders))), times=TIMES)

    assert IntegrityError in outcomes

"""Stock that belongs to orders."""

import datetime
import uuid
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lavka.inventory import services
from lavka.inventory.errors import NotAllocated, NotOnHand, NotShipped, OutOfStock
from lavka.inventory.models import Allocation, Hold, StockMovement
from lavka.kernel.actors import Actor
from tests.catalog.factories import make_variant
from tests.inventory.factories import counters, make_stock, moved
from tests.racing import race

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + datetime.timedelta(minutes=15)


def reserve(quantities: dict[uuid.UUID, int], until: datetime.datetime = LATER) -> uuid.UUID:
    holder = uuid.uuid4()
    services.reserve_stock(holder=holder, quantities=quantities, until=until, at=NOW)
    return holder


def allocate(
    quantities: dict[uuid.UUID, int],
    holder: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
) -> uuid.UUID:
    order_id = order_id or uuid.uuid4()
    services.allocate_reservation(
        holder=holder or uuid.uuid4(), order_id=order_id, quantities=quantities, at=NOW
    )
    return order_id


@pytest.mark.parametrize("minutes", [15, -1])
def test_a_reservation_becomes_the_orders_also_a_moment_after_its_deadline(minutes):
    variant = make_stock(3)
    until = NOW + datetime.timedelta(minutes=minutes)
    holder = reserve({variant.pk: 2}, until)

    order_id = allocate({variant.pk: 2}, holder)

    assert counters(variant.pk) == (3, 2)
    assert not Hold.objects.exists()
    assert Allocation.objects.get().order_id == order_id


def test_a_hold_that_is_gone_is_made_again_while_there_is_stock():
    variant = make_stock(2)

    allocate({variant.pk: 2})
    with pytest.raises(OutOfStock):
        allocate({variant.pk: 1})

    assert counters(variant.pk) == (2, 2)
    assert not Hold.objects.exists()


def test_an_order_gets_its_units_once_however_often_it_asks():
    variant = make_stock(5)
    holder = reserve({variant.pk: 2})

    order_id = allocate({variant.pk: 2}, holder)
    allocate({variant.pk: 2}, holder, order_id)

    assert counters(variant.pk) == (5, 2)


def test_an_order_that_grows_takes_only_what_is_missing():
    variant = make_stock(5)
    order_id = allocate({variant.pk: 2})
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 1})

    allocate({variant.pk: 4}, order_id=order_id)

    assert counters(variant.pk) == (4, 3)
    allocation = Allocation.objects.get()
    assert (allocation.quantity, allocation.shipped) == (3, 1)


def test_what_the_holder_has_too_much_is_given_back():
    variant, other = make_stock(5), make_stock(5)
    holder = reserve({variant.pk: 3, other.pk: 1})

    allocate({variant.pk: 2}, holder)

    assert (counters(variant.pk), counters(other.pk)) == ((5, 2), (5, 0))


def test_shipping_takes_units_off_the_shelf_and_into_the_ledger():
    variant, actor = make_stock(5), Actor.staff(uuid.uuid4())
    order_id = allocate({variant.pk: 3})

    services.ship_allocation(
        order_id=order_id, quantities={variant.pk: 2}, actor=actor, reference="1001"
    )

    assert counters(variant.pk) == (3, 1)
    assert moved(variant.pk) == 3
    [shipment] = StockMovement.objects.filter(reason="shipment")
    assert (shipment.quantity, shipment.by, shipment.reference) == (-2, actor, "1001")


def test_more_than_the_order_has_is_not_shipped():
    variant = make_stock(5)
    order_id = allocate({variant.pk: 2})

    with pytest.raises(NotAllocated):
        services.ship_allocation(order_id=order_id, quantities={variant.pk: 3})

    assert (counters(variant.pk), moved(variant.pk)) == ((5, 2), 5)


def test_a_backorder_ships_when_it_has_come_in():
    variant = make_stock(0)
    services.set_policy(variant_id=variant.pk, when_out="backorder", backorder_limit=5)
    order_id = allocate({variant.pk: 2})

    with pytest.raises(NotOnHand):
        services.ship_allocation(order_id=order_id, quantities={variant.pk: 2})
    services.adjust_stock(variant_id=variant.pk, warehouse="main", by=2, reason="receipt")
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 2})

    assert (counters(variant.pk), moved(variant.pk)) == ((0, 0), 0)


def test_an_order_split_over_warehouses_ships_from_both():
    variant = make_stock(2)
    make_stock(1, variant, "north")
    order_id = allocate({variant.pk: 3})

    services.ship_allocation(order_id=order_id, quantities={variant.pk: 3})

    assert (counters(variant.pk), moved(variant.pk)) == ((0, 0), 0)


def test_a_released_order_gives_back_what_was_not_shipped():
    variant = make_stock(5)
    order_id = allocate({variant.pk: 4})
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 1})

    services.release_allocation(order_id=order_id, quantities={variant.pk: 1})
    services.release_allocation(order_id=order_id)
    services.release_allocation(order_id=order_id)

    assert counters(variant.pk) == (4, 0)


def test_only_what_was_shipped_comes_back_and_only_if_restocked_can_be_sold():
    variant = make_stock(5)
    order_id = allocate({variant.pk: 3})
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 3})

    services.return_stock(order_id=order_id, quantities={variant.pk: 1}, restock=False)
    services.return_stock(order_id=order_id, quantities={variant.pk: 2}, restock=True)
    with pytest.raises(NotShipped):
        services.return_stock(order_id=order_id, quantities={variant.pk: 1}, restock=True)

    assert (counters(variant.pk), moved(variant.pk)) == ((4, 0), 4)


def test_what_nobody_counts_is_allocated_shipped_and_returned_without_a_trace():
    free = make_variant(product=make_stock(1).product, options={"a": "b"}, track_inventory=False)

    order_id = allocate({free.pk: 3})
    services.ship_allocation(order_id=order_id, quantities={free.pk: 3})
    services.return_stock(order_id=order_id, quantities={free.pk: 3}, restock=True)
    services.release_allocation(order_id=order_id)

    assert not Allocation.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE {} SET quantity = 9", "DELETE FROM {}"])
def test_the_ledger_is_append_only(statement):
    make_stock(5)

    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
    ):
        cursor.execute(statement.format("inventory_stockmovement"))

    assert StockMovement.objects.get().quantity == 5


@pytest.mark.django_db(transaction=True)
def test_parallel_allocations_of_one_order_take_its_units_once():
    variant = make_stock(10)
    holder, order_id = reserve({variant.pk: 2}), uuid.uuid4()

    race(lambda: allocate({variant.pk: 2}, holder, order_id), times=8)

    assert counters(variant.pk) == (10, 2)
    assert Allocation.objects.get().quantity == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_returns_never_bring_back_more_than_was_shipped():
    variant = make_stock(5)
    order_id = allocate({variant.pk: 3})
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 3})

    outcomes = race(
        lambda: services.return_stock(order_id=order_id, quantities={variant.pk: 1}, restock=True),
        times=8,
    )

    assert Counter(outcomes) == {None: 3, NotShipped: 5}
    assert (counters(variant.pk), moved(variant.pk)) == ((5, 0), 5)


@pytest.mark.django_db(transaction=True)
def test_shipping_and_cancelling_at_once_use_each_unit_once():
    variant = make_stock(4)
    order_id = allocate({variant.pk: 4})
    turns = iter([services.ship_allocation, services.release_allocation] * 4)

    outcomes = race(lambda: next(turns)(order_id=order_id, quantities={variant.pk: 1}), times=8)

    shipped = -sum(
        StockMovement.objects.filter(reason="shipment").values_list("quantity", flat=True)
    )
    assert Counter(outcomes) == {None: 4, NotAllocated: 4}
    assert counters(variant.pk) == (4 - shipped, 0)

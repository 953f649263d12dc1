"""Reserving, extending, releasing."""

import datetime
import uuid
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from lavka.inventory import services
from lavka.inventory.errors import OutOfStock
from lavka.inventory.models import Hold, Reservation, StockLevel
from lavka.inventory.reconcile import drifted_levels
from lavka.inventory.selectors import available_of
from lavka.kernel.models import OutboxEvent
from tests.catalog.factories import make_variant
from tests.inventory.factories import counters, make_stock, make_warehouse
from tests.racing import race

pytestmark = pytest.mark.django_db

NOW = timezone.now()
EARLIER, LATER = NOW - datetime.timedelta(minutes=15), NOW + datetime.timedelta(minutes=15)


def reserve(quantities: dict[uuid.UUID, int], holder: uuid.UUID | None = None, **times: Any):
    holder = holder or uuid.uuid4()
    times = {"until": LATER, "at": NOW} | times
    services.reserve_stock(holder=holder, quantities=quantities, **times)
    return holder


def event_names(variant_id: uuid.UUID) -> list[str]:
    return sorted(OutboxEvent.objects.filter(aggregate=variant_id).values_list("name", flat=True))


def test_reserved_units_are_not_available_to_others_but_to_their_holder():
    variant = make_stock(5)

    holder = reserve({variant.pk: 3})

    assert counters(variant.pk) == (5, 3)
    assert available_of([variant.pk]) == {variant.pk: 2}
    assert available_of([variant.pk], holder=holder) == {variant.pk: 5}


def test_a_short_line_leaves_nothing_behind():
    plenty, short = make_stock(5), make_stock(1)

    with pytest.raises(OutOfStock) as refusal:
        reserve({plenty.pk: 1, short.pk: 2})

    assert refusal.value.details == {
        "variants": [{"variant_id": short.pk, "requested": 2, "available": 1}]
    }
    assert (counters(plenty.pk), counters(short.pk)) == ((5, 0), (1, 0))
    assert not Hold.objects.exists()


def test_an_order_does_not_take_its_own_hold_for_one_that_expired():
    variant = make_stock(5)
    holder = reserve({variant.pk: 2})
    reserve({variant.pk: 3})

    with pytest.raises(OutOfStock):
        services.allocate_reservation(
            holder=holder, order_id=uuid.uuid4(), quantities={variant.pk: 4}, at=NOW
        )

    assert counters(variant.pk) == (5, 5)
    assert drifted_levels() == {}


def test_reserving_again_moves_to_the_new_quantities_and_deadline():
    kept, dropped, added = make_stock(5), make_stock(5), make_stock(5)
    end = LATER + datetime.timedelta(minutes=15)
    holder = reserve({kept.pk: 3, dropped.pk: 2}, ends_at=end)

    until = LATER + datetime.timedelta(minutes=5)
    reserve({kept.pk: 5, added.pk: 1}, holder, until=until, ends_at=end)

    assert [counters(each.pk)[1] for each in (kept, dropped, added)] == [5, 0, 1]
    assert Hold.objects.get().expires_at == LATER + datetime.timedelta(minutes=5)
    assert sorted(Reservation.objects.values_list("quantity", flat=True)) == [1, 5]


def test_a_refused_change_keeps_what_the_holder_had():
    variant = make_stock(5)
    holder = reserve({variant.pk: 3})

    with pytest.raises(OutOfStock):
        reserve({variant.pk: 6}, holder)

    assert counters(variant.pk) == (5, 3)
    assert Reservation.objects.get().quantity == 3


def test_only_a_variant_that_staff_do_not_track_is_sold_without_limit():
    free, sold_out = make_variant(track_inventory=False), make_variant(track_inventory=True)

    reserve({free.pk: 1000})
    with pytest.raises(OutOfStock) as refusal:
        reserve({sold_out.pk: 1})

    assert refusal.value.details["variants"][0]["available"] == 0
    assert available_of([free.pk, sold_out.pk]) == {free.pk: None, sold_out.pk: 0}


def test_an_unknown_variant_is_out_of_stock():
    with pytest.raises(OutOfStock):
        reserve({uuid.uuid4(): 1})


def test_activity_extends_a_hold_up_to_its_end_and_never_shortens_it():
    holder = reserve({make_stock(1).pk: 1}, ends_at=NOW + datetime.timedelta(minutes=30))

    extended = []
    for minutes in (20, 5, 40):
        until = NOW + datetime.timedelta(minutes=minutes)
        services.extend_reservation(holder=holder, until=until)
        extended.append(Hold.objects.get().expires_at - NOW)

    assert extended == [datetime.timedelta(minutes=minutes) for minutes in (20, 20, 30)]


def test_a_released_hold_gives_its_units_back_once():
    variant = make_stock(2)
    holder = reserve({variant.pk: 2})

    for _ in range(2):
        services.release_reservation(holder=holder)

    assert counters(variant.pk) == (2, 0)
    assert not Reservation.objects.exists()


def test_expired_holds_are_released_and_live_ones_stay():
    variant = make_stock(5)
    reserve({variant.pk: 2}, until=NOW - datetime.timedelta(seconds=1), at=EARLIER)
    reserve({variant.pk: 1})

    released = [services.release_expired(at=NOW, limit=10) for _ in range(2)]

    assert released == [1, 0]
    assert counters(variant.pk) == (5, 1)


def test_what_others_let_expire_is_taken_when_nothing_else_is_left():
    variant = make_stock(2)
    reserve({variant.pk: 2}, until=NOW, at=EARLIER)

    reserve({variant.pk: 2})

    assert counters(variant.pk) == (2, 2)


def test_the_last_unit_shows_the_variant_as_sold_out_once_and_its_return_as_in_stock_once():
    variant = make_stock(2)
    OutboxEvent.objects.all().delete()
    shown = OutboxEvent.objects.filter(aggregate=variant.product_id)

    holder = reserve({variant.pk: 2})
    variant.refresh_from_db()
    is_sold_out, told = not variant.is_in_stock, shown.count()
    services.release_reservation(holder=holder)

    variant.refresh_from_db()
    assert (is_sold_out, told, variant.is_in_stock, shown.count()) == (True, 1, True, 2)
    assert event_names(variant.pk) == ["inventory.stock_came_back", "inventory.stock_ran_out"]


def test_the_threshold_is_told_when_it_is_crossed_and_not_again():
    variant = make_stock(5)
    services.set_policy(variant_id=variant.pk, when_out="deny", low_stock_threshold=3)

    for _ in range(3):
        reserve({variant.pk: 1})

    assert event_names(variant.pk).count("inventory.stock_ran_low") == 1


def test_backorders_are_sold_up_to_their_limit():
    variant = make_stock(1)
    services.set_policy(variant_id=variant.pk, when_out="backorder", backorder_limit=2)

    reserve({variant.pk: 3})
    with pytest.raises(OutOfStock):
        reserve({variant.pk: 1})

    assert counters(variant.pk) == (1, 3)


def test_one_warehouse_is_enough_when_one_can_send_it_all():
    first, second = make_stock(1), make_stock(1)
    make_warehouse("north", priority=5)
    for variant in (first, second):
        make_stock(2, variant, "north")

    reserve({first.pk: 2, second.pk: 1})

    taken = StockLevel.objects.filter(reserved__gt=0).values_list("warehouse__code", "reserved")
    assert sorted(taken) == [("north", 1), ("north", 2)]


def test_a_purchase_is_split_when_no_warehouse_has_it_all():
    variant = make_stock(2)
    make_stock(1, variant, "north")

    reserve({variant.pk: 3})

    assert counters(variant.pk) == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_the_last_unit_is_promised_once():
    variant = make_stock(1)

    outcomes = race(lambda: reserve({variant.pk: 1}) and "reserved", times=16)

    assert Counter(outcomes) == {"reserved": 1, OutOfStock: 15}
    assert counters(variant.pk) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_control_read_then_write_promises_it_more_than_once():
    """If this fails, `race` overlaps nothing and the test above proves nothing."""
    variant = make_stock(1)

    def unguarded() -> str:
        level = StockLevel.objects.get(variant=variant)
        if level.available < 1:
            raise OutOfStock
        hold = Hold.objects.create(pk=uuid.uuid4(), expires_at=LATER, ends_at=LATER)
        Reservation.objects.create(hold=hold, level=level, quantity=1)
        StockLevel.objects.filter(pk=level.pk).update(reserved=level.reserved + 1)
        return "reserved"

    outcomes = race(unguarded, times=16)

    assert Counter(outcomes)["reserved"] > 1


@pytest.mark.django_db(transaction=True)
def test_lines_in_opposite_orders_neither_deadlock_nor_oversell():
    variants = [make_stock(8) for _ in range(4)]
    orders = iter([variants, variants[::-1]] * 8)

    def buy() -> str:
        reserve({variant.pk: 1 for variant in next(orders)})
        return "reserved"

    outcomes = race(buy, times=16)

    assert Counter(outcomes) == {"reserved": 8, OutOfStock: 8}
    assert [counters(each.pk) for each in variants] == [(8, 8)] * 4


@pytest.mark.django_db(transaction=True)
def test_units_that_expire_at_this_moment_are_sold_once():
    variant = make_stock(1)
    reserve({variant.pk: 1}, until=NOW, at=EARLIER)
    turns = iter(range(16))

    def act() -> str:
        if next(turns) % 4 == 0:
            services.release_expired(at=NOW, limit=10)
            return "swept"
        reserve({variant.pk: 1})
        return "reserved"

    outcomes = Counter(race(act, times=16))

    assert (outcomes["swept"], outcomes["reserved"]) == (4, 1)
    assert counters(variant.pk) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_parallel_calls_of_one_holder_leave_one_reservation():
    variant, other, holder = make_stock(20), make_stock(20), uuid.uuid4()
    turns = iter([{variant.pk: 2}, {other.pk: 3}] * 6)

    race(lambda: reserve(next(turns), holder), times=12)

    held = (counters(variant.pk)[1], counters(other.pk)[1])
    assert held in {(2, 0), (0, 3)}
    assert Reservation.objects.count() == 1


def test_a_reservation_belongs_to_its_callers_transaction():
    variant = make_stock(1)

    with transaction.atomic():
        reserve({variant.pk: 1})
        transaction.set_rollback(True)

    assert counters(variant.pk) == (1, 0)


@pytest.mark.parametrize("lines", [1, 3])
def test_reserving_costs_the_same_statements_however_many_lines(lines, django_assert_num_queries):
    quantities = {make_stock(5).pk: 1 for _ in range(lines)}

    # Two of them are a savepoint of the test's transaction.
    with django_assert_num_queries(7):
        reserve(quantities)


@pytest.mark.parametrize("lines", [1, 3])
def test_allocating_what_is_reserved_touches_no_stock_level(lines, django_assert_num_queries):
    quantities = {make_stock(5).pk: 1 for _ in range(lines)}
    holder = reserve(quantities)

    with django_assert_num_queries(7) as captured:
        services.allocate_reservation(
            holder=holder, order_id=uuid.uuid4(), quantities=quantities, at=NOW
        )

    statements = " ".join(each["sql"] for each in captured)
    assert "UPDATE inventory_stocklevel" not in statements
    assert 'UPDATE OF "inventory_stocklevel"' not in statements

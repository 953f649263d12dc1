"""What staff do to stock."""

import datetime
import uuid
from collections import Counter

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone

from lavka.catalog import services as catalog
from lavka.catalog.errors import InUse
from lavka.catalog.models import Variant
from lavka.inventory import services
from lavka.inventory.errors import NotOnHand, NotTracked, OutOfStock, StockPromised
from lavka.inventory.models import StockLevel, StockMovement, StockPolicy
from lavka.kernel.errors import Invalid
from lavka.kernel.models import OutboxEvent
from tests.catalog.factories import make_variant
from tests.inventory.factories import counters, make_stock, make_warehouse, moved
from tests.racing import race

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def reserve(variant: Variant, quantity: int) -> None:
    until = NOW + datetime.timedelta(minutes=15)
    services.reserve_stock(
        holder=uuid.uuid4(), quantities={variant.pk: quantity}, until=until, at=NOW
    )


def test_a_count_is_a_difference_in_the_ledger():
    variant = make_stock(5)

    level = services.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=3)
    services.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=3)

    assert (level.on_hand, level.available) == (3, 3)
    assert list(StockMovement.objects.values_list("quantity", "reason").order_by("id")) == [
        (5, "count"),
        (-2, "count"),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_many_variants_are_counted_in_the_same_few_statements(number, django_assert_num_queries):
    counts = {make_stock(9).pk: units for units in range(1, number + 1)}

    with django_assert_num_queries(13):
        services.count_stock(counts=counts, warehouse="main")

    assert {each: counters(each)[0] for each in counts} == counts
    assert {each: moved(each) for each in counts} == counts


def test_the_first_count_decides_whether_the_shop_shows_it_in_stock():
    empty, full = make_stock(0), make_stock(1)

    flags = Variant.objects.in_bulk([empty.pk, full.pk])
    assert (flags[empty.pk].is_in_stock, flags[full.pk].is_in_stock) == (False, True)


def test_the_first_count_brings_back_only_what_was_sold_out():
    make_warehouse()
    untracked = make_variant()
    services.set_on_hand(variant_id=untracked.pk, warehouse="main", on_hand=3)
    sold_out = make_stock(3)

    told = OutboxEvent.objects.filter(name__startswith="inventory.")
    assert list(told.values_list("name", "aggregate")) == [
        ("inventory.stock_came_back", sold_out.pk)
    ]


def test_what_may_be_sold_beyond_stock_does_not_lie_on_the_shelf():
    variant = make_stock(2)
    services.set_policy(variant_id=variant.pk, when_out="backorder", backorder_limit=1)

    with pytest.raises(NotOnHand):
        services.adjust_stock(variant_id=variant.pk, warehouse="main", by=-3, reason="damage")

    assert counters(variant.pk) == (2, 0)
    assert moved(variant.pk) == 2


def test_promised_units_stay():
    variant = make_stock(5)
    reserve(variant, 3)

    with pytest.raises(StockPromised) as refusal:
        services.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=2)
    with pytest.raises(NotOnHand):
        services.adjust_stock(variant_id=variant.pk, warehouse="main", by=-6, reason="damage")

    assert refusal.value.details == {"reserved": 3}
    assert (counters(variant.pk), moved(variant.pk)) == ((5, 3), 5)


def test_a_transfer_moves_what_is_free():
    variant = make_stock(5)
    make_warehouse("north")
    reserve(variant, 3)
    places = {"origin": "main", "destination": "north"}

    services.transfer_stock(variant_id=variant.pk, quantity=2, **places)
    with pytest.raises(StockPromised):
        services.transfer_stock(variant_id=variant.pk, quantity=1, **places)

    levels = StockLevel.objects.order_by("warehouse__code")
    assert list(levels.values_list("warehouse__code", "on_hand", "reserved")) == [
        ("main", 3, 3),
        ("north", 2, 0),
    ]
    assert moved(variant.pk) == 5


def test_an_unknown_warehouse_or_variant_changes_nothing():
    variant = make_variant()

    with pytest.raises(Invalid):
        services.set_on_hand(variant_id=variant.pk, warehouse="nowhere", on_hand=1)
    with pytest.raises(Variant.DoesNotExist):
        services.set_on_hand(variant_id=uuid.uuid4(), warehouse="main", on_hand=1)

    assert not StockLevel.objects.exists()


def test_a_policy_makes_an_empty_shelf_sellable_and_back():
    variant = make_stock(0)

    services.set_policy(
        variant_id=variant.pk, when_out="preorder", backorder_limit=2, available_on=NOW.date()
    )
    variant.refresh_from_db()
    was_sellable = variant.is_in_stock
    services.set_policy(variant_id=variant.pk, when_out="deny")

    variant.refresh_from_db()
    assert (was_sellable, variant.is_in_stock) == (True, False)
    assert StockPolicy.objects.get().available_on is None


def test_a_policy_does_not_take_back_what_was_sold_by_the_one_before():
    variant = make_stock(0)
    services.set_policy(variant_id=variant.pk, when_out="backorder", backorder_limit=2)
    reserve(variant, 2)

    with pytest.raises(StockPromised):
        services.set_policy(variant_id=variant.pk, when_out="deny")

    assert StockPolicy.objects.get().when_out == "backorder"


def test_a_variant_that_nobody_counts_has_no_policy():
    with pytest.raises(NotTracked):
        services.set_policy(variant_id=make_variant().pk, when_out="deny")


def test_what_has_a_ledger_is_not_deleted():
    variant = make_stock(1)

    with pytest.raises(InUse):
        catalog.delete_variant(variant_id=variant.pk)
    with pytest.raises(InUse):
        catalog.delete_product(product_id=variant.product_id)
    with pytest.raises(InUse):
        services.delete_warehouse(code="main")

    assert Variant.objects.filter(pk=variant.pk).exists()


def test_a_strategy_that_is_none_is_refused_at_start(settings):
    settings.LAVKA = settings.LAVKA | {"ALLOCATION_STRATEGY": "uuid.UUID"}
    with pytest.raises(SystemCheckError, match=r"lavka\.E001"):
        call_command("check")

    settings.LAVKA = settings.LAVKA | {"ALLOCATION_STRATEGY": "builtins.dict"}
    with pytest.raises(SystemCheckError, match=r"has no allocate\(\)"):
        call_command("check")


@pytest.mark.django_db(transaction=True)
def test_staff_who_count_down_and_buyers_never_promise_what_is_not_there():
    variant = make_stock(8)
    turns = iter(range(16))

    def act() -> None:
        if next(turns) % 2:
            services.adjust_stock(variant_id=variant.pk, warehouse="main", by=-1, reason="damage")
        else:
            reserve(variant, 1)

    outcomes = Counter(race(act, times=16))

    on_hand, reserved = counters(variant.pk)
    assert outcomes[None] == 8
    assert outcomes[OutOfStock] + outcomes[StockPromised] == 8
    assert on_hand == reserved
    assert moved(variant.pk) == on_hand


@pytest.mark.django_db(transaction=True)
def test_parallel_first_counts_make_one_level():
    variant = make_variant()
    make_warehouse()

    race(lambda: services.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=5), times=8)

    assert (counters(variant.pk), moved(variant.pk)) == ((5, 0), 5)

"""Querysets read on the event loop are what Django would have read."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db.models import FETCH_RAISE, Count, QuerySet
from django.db.models.functions import Length

from lavka.catalog import selectors
from lavka.catalog.models import Category, Product, Variant
from lavka.kernel.reads import read_all, read_count, read_first
from tests.catalog.factories import make_brand, make_category, make_product, make_variant

pytestmark = pytest.mark.django_db


def loaded(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.fixture
def goods() -> QuerySet[Product]:
    for number in range(3):
        product = make_product(
            name=f"Thing {number}",
            attributes={"colour": ["blue", "red"], "length": 1.5},
            brand=make_brand() if number else None,
        )
        make_variant(product=product)
    found = Product.objects.select_related("product_type", "brand").order_by("-name")
    return found.fetch_mode(FETCH_RAISE)


def test_rows_are_those_of_django(goods):
    read = async_to_sync(read_all)(goods)

    for ours, theirs in zip(read, goods, strict=True):
        assert type(ours) is Product
        assert not ours._state.adding
        assert loaded(ours.product_type) == loaded(theirs.product_type)
        assert (ours.brand and loaded(ours.brand)) == (theirs.brand and loaded(theirs.brand))
        assert loaded(ours) == loaded(theirs)


def test_what_a_queryset_adds_to_its_rows_is_there(goods):
    added = goods.annotate(letters=Length("name"), sold=Count("variants"))

    read = async_to_sync(read_all)(added)

    assert [(each.letters, each.sold) for each in read] == [(7, 1)] * 3


def test_a_condition_takes_values_of_every_type(goods):
    wanted = goods.filter(
        status="published", created_at__isnull=False, pk__in=[each.pk for each in goods[:2]]
    ).filter(attributes__colour__contains="blue")

    assert async_to_sync(read_all)(wanted) == list(wanted)


def test_the_first_row_or_none(goods):
    first = async_to_sync(read_first)

    assert first(goods) == goods[0]
    assert first(goods.filter(name="Thing 9")) is None


def test_what_cannot_fit_is_not_asked_for(goods, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert async_to_sync(read_all)(goods.none()) == []
        assert async_to_sync(read_first)(goods.filter(pk__in=[])) is None
        assert async_to_sync(read_count)(goods.none(), most=10) == 0


def test_rows_are_counted_up_to_a_limit(goods):
    count = async_to_sync(read_count)

    assert [count(goods, most=most) for most in (2, 3, 10)] == [2, 3, 3]
    assert count(Variant.objects.filter(price_amount__gt=1299), most=10) == 0


def test_the_queryset_may_be_used_again(goods):
    async_to_sync(read_all)(goods)

    assert [each.name for each in goods.filter(name="Thing 1")] == ["Thing 1"]


def test_the_category_tree_is_in_the_order_of_the_shelves():
    late = make_category(name="B", slug="late", position=1)
    early = make_category(name="C", slug="early", position=0)
    for parent, slug, name in ((late, "z", "A"), (late, "y", "B"), (early, "x", "A")):
        make_category(parent=parent, slug=slug, name=name)
    make_category(parent=Category.objects.get(slug="z"), slug="deep", name="A")

    nodes = async_to_sync(read_all)(selectors.category_tree())

    depths = [(each.pk, each.tree_depth) for each in selectors.category_tree()]
    assert [(each.pk, each.tree_depth) for each in nodes] == depths
    assert [each.slug for each in nodes] == ["early", "x", "late", "z", "deep", "y"]


def test_breadcrumbs_lead_from_the_top():
    top = make_category(slug="top", name="Top")
    inner = make_category(slug="inner", name="Inner", parent=top)
    deep = make_category(slug="deep", name="Deep", parent=inner)
    make_category(slug="beside", parent=top)

    links = async_to_sync(selectors.breadcrumbs)(deep)

    assert [(each.slug, each.name) for each in links] == [
        ("top", "Top"),
        ("inner", "Inner"),
        ("deep", "Deep"),
    ]

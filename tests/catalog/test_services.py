"""Writing the catalogue, alone and at the same time as others."""

import itertools
import threading
from collections import Counter
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from lavka.catalog import services, tasks
from lavka.catalog.errors import CategoryCycle, InUse, ReferenceGone, Taken
from lavka.catalog.models import (
    Brand,
    Category,
    Choice,
    Product,
    SlugHistory,
    Variant,
)
from lavka.catalog.selectors import current_slug
from lavka.catalog.services import ChoiceValues, VariantValues
from lavka.kernel.errors import Invalid
from lavka.kernel.models import OutboxEvent
from lavka.kernel.money import Money
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_image,
    make_kettle_type,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.racing import race

RED = VariantValues(sku="K-RED", price=Money(4900, "USD"), options={"color": "red"})
BLUE = VariantValues(sku="K-BLUE", price=Money(4500, "USD"), options={"color": "blue"})


def told() -> list[tuple[str, object]]:
    """The events since the last look."""
    found = list(OutboxEvent.objects.order_by("id").values_list("name", "aggregate"))
    OutboxEvent.objects.all().delete()
    return found


def save_kettle(product_type, **change):
    content = {"name": "Kettle", "attributes": {"volume": 1}, "variants": [RED, BLUE]} | change
    return services.save_product(slug="kettle", product_type=product_type, **content)


@pytest.mark.django_db
def test_saving_a_product_twice_makes_one():
    kettles = make_kettle_type()
    first = save_kettle(kettles)
    variants = list(first.variants.values())
    told()

    again = save_kettle(kettles)

    assert again == first
    assert list(again.variants.values()) == variants
    assert told() == [("catalog.product_changed", first.pk)]


@pytest.mark.django_db
def test_saving_a_product_makes_it_what_is_said():
    kettles = make_kettle_type()
    product = save_kettle(kettles, brand=make_brand(), status="published")
    red = product.variants.get(sku="K-RED")
    dear = replace(RED, price=Money(9900, "USD"), options={"color": "blue"})

    save_kettle(kettles, name="Pot", brand=None, variants=[dear])

    product.refresh_from_db()
    assert (product.name, product.brand, product.status) == ("Pot", None, "published")
    assert [(v.pk, v.price_amount, v.options) for v in product.variants.all()] == [
        (red.pk, 9900, {"color": "blue"})
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"attributes": {}}, Invalid),
        ({"variants": [replace(RED, price=Money(1, "EUR"))]}, Invalid),
        ({"variants": [replace(RED, sku="OTHERS")]}, Taken),
    ],
)
def test_a_refused_save_changes_nothing(change, refusal):
    make_variant(sku="OTHERS")
    kettles = make_kettle_type()
    product = save_kettle(kettles)
    before = list(product.variants.values())
    told()

    with pytest.raises(refusal):
        save_kettle(kettles, name="Changed", **change)

    product.refresh_from_db()
    assert product.name == "Kettle"
    assert list(product.variants.values()) == before
    assert told() == []


@pytest.mark.django_db
def test_a_choice_is_made_once_whatever_its_letter_case():
    size = make_attribute("m", code="size")

    half = services.ensure_choice(attribute=size, label="1/2")

    assert services.ensure_choice(attribute=size, label=" 1/2 ") == half
    assert services.ensure_choice(attribute=size, label="12").code == "12"
    assert services.ensure_choice(attribute=size, label="1-2").code == "1-2-2"
    assert services.ensure_choice(attribute=size, label="M").code == "m"
    assert services.ensure_choice(attribute=size, label="★").label == "★"
    assert [choice.position for choice in size.choices.all()] == [0, 1, 2, 3, 4]


@pytest.mark.django_db
def test_every_change_of_a_row_is_told_in_its_own_words():
    product = make_product(brand=make_brand(), category=make_category())
    attribute = make_attribute("red")
    use = use_attribute(product.product_type, attribute)
    told()

    product.save()
    assert told() == [("catalog.product_changed", product.pk)]
    variant = make_variant(product=product)
    assert told() == [("catalog.product_changed", product.pk)]
    variant.delete()
    assert told() == [("catalog.product_changed", product.pk)]
    image = make_image(product=product)
    assert told() == [("catalog.product_changed", product.pk), ("catalog.image_added", image.pk)]
    product.brand.save()
    assert told() == [("catalog.brand_changed", product.brand.pk)]
    product.category.save()
    assert told() == [("catalog.category_changed", product.category.pk)]
    for row in (attribute, attribute.choices.get(), use):
        row.save()
        assert told() == [("catalog.attribute_changed", attribute.pk)]


@pytest.mark.django_db
def test_products_follow_their_brand_their_category_and_their_attributes():
    top, brand = make_category(), make_brand()
    inner = make_category(parent=top)
    product = make_product(brand=brand, category=inner)
    make_product()
    attribute = make_attribute()
    use_attribute(product.product_type, attribute)
    told()

    for announce in (
        lambda: tasks.announce_brand(brand_id=str(brand.pk)),
        lambda: tasks.announce_category(category_id=str(top.pk)),
        lambda: tasks.announce_attribute(attribute_id=str(attribute.pk)),
    ):
        announce()
        assert told() == [("catalog.product_changed", product.pk)]


@pytest.mark.django_db
def test_a_past_slug_is_known_for_each_kind():
    product, brand, category = make_product(slug="a"), make_brand(slug="a"), make_category(slug="a")
    for slug in ("b", "c"):
        for row in (product, brand, category):
            type(row).objects.filter(pk=row.pk).update(slug=f"{type(row).__name__.lower()}-{slug}")

    leads_to = async_to_sync(current_slug)
    for kind in SlugHistory.Kind.values:
        assert leads_to(kind, "a") == f"{kind}-c"
        assert leads_to(kind, f"{kind}-b") == f"{kind}-c"
        assert leads_to(kind, "never") is None


@pytest.mark.django_db
def test_a_made_slug_keeps_clear_of_past_ones():
    first = services.create_brand(name="Acme")
    services.update_brand(brand_id=first.pk, slug="acme-inc")

    assert services.create_brand(name="Acme").slug == "acme-2"
    assert services.create_brand(name="★").slug == "brand"


@pytest.mark.django_db(transaction=True)
def test_brands_of_one_name_made_at_once_have_slugs_of_their_own():
    outcomes = race(lambda: services.create_brand(name="Acme").slug, times=6)

    assert len(set(outcomes)) == 6
    assert all(str(slug).startswith("acme") for slug in outcomes)
    assert Brand.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_one_slug_is_given_once():
    outcomes = race(lambda: services.create_brand(name="A", slug="acme").slug, times=6)

    assert Counter(outcomes) == {"acme": 1, Taken: 5}


@pytest.mark.django_db(transaction=True)
def test_a_product_saved_at_once_by_many_is_one():
    kettles = make_kettle_type()

    outcomes = race(lambda: save_kettle(kettles).slug, times=6)

    assert outcomes == ["kettle"] * 6
    assert Product.objects.count() == 1
    assert Variant.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_choice_made_at_once_by_many_is_one():
    attribute = make_attribute("a")

    outcomes = race(lambda: services.ensure_choice(attribute=attribute, label="New").code, times=6)

    assert outcomes == ["new"] * 6
    assert Choice.objects.count() == 2


def move_each_other(move) -> list:
    """Two categories go into each other at once, several times; returns what each move said."""
    outcomes = []
    for _ in range(5):
        first, second = make_category(), make_category()
        turns = itertools.cycle([(first, second), (second, first)])
        pairs = [next(turns), next(turns)]
        outcomes += race(lambda pairs=pairs: move(*pairs.pop()), times=2)
    return outcomes


def circles() -> int:
    return Category.objects.filter(parent__parent__isnull=False).count() // 2


@pytest.mark.django_db(transaction=True)
def test_two_moves_that_make_a_circle_together_are_not_both_done():
    def move(category, parent):
        services.update_category(category_id=category.pk, parent=parent)

    outcomes = move_each_other(move)

    assert Counter(outcomes) == {None: 5, CategoryCycle: 5}
    assert circles() == 0


@pytest.mark.django_db(transaction=True)
def test_control_without_the_queue_they_make_a_circle():
    """If this fails, `race` overlaps nothing and the test above proves nothing."""

    @transaction.atomic
    def move(category, parent):
        ancestors = Category.objects.ancestors(parent.pk, include_self=True)
        if ancestors.filter(pk=category.pk).exists():
            raise CategoryCycle
        Category.objects.filter(pk=category.pk).update(parent=parent)

    move_each_other(move)

    assert circles() > 0
    Category.objects.update(parent=None)


def use_and_drop_a_choice(drop) -> None:
    """A product takes a choice while staff drop it, several times."""
    for n in range(6):
        attribute = make_attribute("red", "blue", code=f"color_{n}")
        product_type = make_type()
        use_attribute(product_type, attribute)

        saved = threading.Event()

        def save(product_type=product_type, attribute=attribute, n=n, saved=saved):
            try:
                services.save_product(
                    slug=f"thing-{n}",
                    product_type=product_type,
                    name="Thing",
                    attributes={attribute.code: "red"},
                    variants=[],
                )
            finally:
                saved.set()

        calls = [save, lambda attribute=attribute, saved=saved: drop(attribute, saved)]
        outcomes = race(lambda calls=calls: calls.pop()(), times=2)
        assert set(outcomes) <= {None, Invalid, InUse}


def orphans() -> int:
    """Products that have a choice which is no more."""
    return sum(
        not Choice.objects.filter(attribute__code=code, code=value).exists()
        for product in Product.objects.all()
        for code, value in product.attributes.items()
    )


@pytest.mark.django_db(transaction=True)
def test_a_choice_is_not_dropped_while_a_product_takes_it():
    def drop(attribute, saved):
        kept = [ChoiceValues(code="blue", label="Blue")]
        services.update_attribute(attribute_id=attribute.pk, choices=kept)

    use_and_drop_a_choice(drop)

    assert orphans() == 0


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_a_product_has_what_is_no_choice():
    """If this fails, `race` overlaps nothing and the test above proves nothing."""

    @transaction.atomic
    def drop(attribute, saved):
        if services.is_choice_used(attribute, "red"):
            raise InUse
        saved.wait(timeout=10)
        attribute.choices.filter(code="red").delete()

    use_and_drop_a_choice(drop)

    assert orphans() > 0


@pytest.mark.django_db(transaction=True)
def test_a_brand_is_not_deleted_while_a_product_takes_it():
    kettles = make_kettle_type()
    for n in range(5):
        brand = make_brand(slug=f"brand-{n}")
        calls = [
            lambda brand=brand, n=n: (
                services.create_product(
                    slug=f"kettle-{n}",
                    product_type=kettles,
                    name="Kettle",
                    brand=brand,
                    attributes={"volume": 1},
                ).slug
            ),
            lambda brand=brand: services.delete_brand(brand_id=brand.pk),
        ]
        outcomes = race(lambda calls=calls: calls.pop()(), times=2)
        assert set(outcomes) in ({None, ReferenceGone}, {f"kettle-{n}", InUse})
    assert Product.objects.filter(brand=None).count() == 0

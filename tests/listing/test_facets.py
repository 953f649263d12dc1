"""Facets: counted per variant, disjunctive within one, honest about samples."""

from typing import Any

import pytest

from lavka.catalog.models import Product, ProductType
from lavka.listing import facets
from lavka.listing.properties import MAX_PROPERTIES, kinds
from lavka.listing.services import rebuild_listing
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.client import Api
from tests.listing.factories import make_card, shown, slugs

pytestmark = pytest.mark.django_db


@pytest.fixture
def shirts() -> ProductType:
    """Shirts have a color and a size; a material, a weight, a day and an oath."""
    kind = make_type()
    color = make_attribute("red", "blue", "green", code="color", name="Color")
    use_attribute(kind, color, is_option=True)
    use_attribute(kind, make_attribute("m", "xl", code="size", name="Size"), is_option=True)
    use_attribute(kind, make_attribute("wool", "silk", code="material", name="Material"))
    for code, value in {"weight": "number", "since": "date", "vegan": "boolean"}.items():
        use_attribute(kind, make_attribute(code=code, name=code.title(), kind=value, unit=""))
    use_attribute(kind, make_attribute(code="motto", kind="text"))
    return kind


def make_shirt(kind: ProductType, slug: str, *variants: str, **fields: Any) -> Product:
    """`make_shirt(kind, "a", "red m", "blue xl -")`: a dash is out of stock."""
    shirt = make_product(product_type=kind, slug=slug, **fields)
    for each in variants:
        color, size, *rest = each.split()
        make_variant(
            product=shirt, options={"color": color, "size": size}, track_inventory=bool(rest)
        )
    return shirt


def facet(api: Api, code: str, query: str = "") -> dict[str, Any]:
    response = shown(api, f"/products/facets/?{query}")
    assert response.status_code == 200, response.content
    return next(each for each in response.json()["items"] if each["code"] == code)


def counts(api: Api, code: str, query: str = "") -> dict[Any, int]:
    return {each["value"]: each["count"] for each in facet(api, code, query)["values"]}


def test_several_options_are_matched_by_one_variant(api: Api, shirts: ProductType):
    make_shirt(shirts, "both", "red m", "blue xl")
    make_shirt(shirts, "never", "red xl", "blue m")

    assert slugs(api, "attr.color=blue&attr.size=xl") == ["both"]
    assert slugs(api, "attr[color]=blue&attr[size]=m") == ["never"]
    assert slugs(api, "attr.color=blue") == ["never", "both"]
    assert slugs(api, "attr.color=blue&attr.size=xl&attr.size=m") == ["never", "both"]


def test_in_stock_means_the_variant_that_was_chosen(api: Api, shirts: ProductType):
    make_shirt(shirts, "shirt", "red m", "blue xl -")

    assert slugs(api, "attr.color=red&in_stock=true") == ["shirt"]
    assert slugs(api, "attr.color=blue&in_stock=true") == []


def test_attributes_of_the_product_and_options_are_chosen_together(api: Api, shirts: ProductType):
    make_shirt(shirts, "wool", "red m", attributes={"material": "wool"})
    make_shirt(shirts, "silk", "red m", attributes={"material": "silk"})

    assert slugs(api, "attr.material=wool&attr.color=red&attr.size=m") == ["wool"]
    assert slugs(api, "attr.material=wool&attr.color=blue") == []


def test_numbers_dates_words_and_oaths_are_chosen(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m", attributes={"weight": 99.5, "since": "2026-01-31"})
    make_shirt(shirts, "b", "red m", attributes={"weight": 200, "vegan": True, "motto": "Be Warm"})

    assert slugs(api, "attr.weight.min=99.5&attr.weight.max=150") == ["a"]
    assert slugs(api, "attr.weight.min=100") == ["b"]
    assert slugs(api, "attr.weight=200.0") == ["b"]
    assert slugs(api, "attr.since.max=2026-01-31") == ["a"]
    assert slugs(api, "attr.since.min=2026-02-01") == []
    assert slugs(api, "attr.vegan=true") == ["b"]
    assert slugs(api, "attr.motto=be warm") == ["b"]


def test_both_bounds_of_as_many_ranges_as_attributes_are_chosen(api: Api, shirts: ProductType):
    codes = [f"size_{number}" for number in range(MAX_PROPERTIES + 1)]
    for code in codes:
        use_attribute(shirts, make_attribute(code=code, kind="number"))
    bounds = [f"attr.{code}.min=1&attr.{code}.max=2" for code in codes]
    kinds.forget()
    make_shirt(shirts, "a", "red m", attributes=dict.fromkeys(codes, 1.5))

    assert slugs(api, "&".join(bounds[:MAX_PROPERTIES])) == ["a"]
    (refused,) = shown(api, f"/products/?{'&'.join(bounds)}").json()["errors"]
    assert (refused["pointer"], refused["code"]) == ("?attr", "too_many")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("attr.shape=1", "?attr.shape", "unknown"),
        ("attr.color.min=1", "?attr.color.min", "not_a_range"),
        ("attr.weight.most=1", "?attr.weight.most", "unknown"),
        ("attr.weight.min=heavy", "?attr.weight.min", "invalid"),
        ("attr.weight=nan", "?attr.weight", "invalid"),
        ("attr.since.min=2026-02-31", "?attr.since.min", "invalid"),
        ("attr.vegan=maybe", "?attr.vegan", "invalid_choice"),
        ("attr.color=%00", "?attr.color", "null_character"),
    ],
)
@pytest.mark.parametrize("path", ["/products/", "/products/facets/"])
def test_what_cannot_be_chosen_is_refused(
    api: Api, shirts: ProductType, path: str, query: str, pointer: str, code: str
):
    response = shown(api, f"{path}?{query}")

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_a_facet_says_what_may_be_chosen(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m", "blue m", attributes={"material": "wool", "vegan": True})
    make_shirt(shirts, "b", "red xl", attributes={"weight": 120.5, "since": "2026-01-31"})

    assert facet(api, "color") == {
        "code": "color",
        "name": "Color",
        "kind": "choice",
        "parameter": "attr.color",
        "unit": None,
        "values": [
            {"value": "red", "label": "Red", "count": 2, "selected": False},
            {"value": "blue", "label": "Blue", "count": 1, "selected": False},
        ],
    }
    assert facet(api, "vegan")["values"] == [
        {"value": "true", "label": "yes", "count": 1, "selected": False}
    ]
    weight, since = facet(api, "weight"), facet(api, "since")
    assert (weight["kind"], weight["min"], weight["max"]) == ("range", 120.5, 120.5)
    assert (since["min"], since["max"]) == ("2026-01-31", "2026-01-31")
    body = api.get("/products/facets/").json()
    assert (body["total"], body["exact"]) == (2, True)
    assert "motto" not in {each["code"] for each in body["items"]}


def listed(api: Api, **query: Any) -> int:
    """How many products the list has for these parameters."""
    response = api.client.get("/api/v1/products/", {"count": "true", **query})
    assert response.status_code == 200, (query, response.content)
    return int(response.json()["count"]["value"])


def offers(facet: dict[str, Any], total: int) -> list[tuple[dict[str, Any], int]]:
    """What each choice of a facet sends to the list, and how many products that shows."""
    if facet["kind"] != "range":
        return [({facet["parameter"]: each["value"]}, each["count"]) for each in facet["values"]]
    ends = {facet["parameters"][end]: facet[end] for end in ("min", "max")}
    return [(ends, total)]


def test_every_facet_is_sent_back_to_the_list_as_it_is(api: Api, shirts: ProductType):
    home = make_category(slug="home", name="Home")
    shelf = {"brand": make_brand(slug="acme", name="Acme"), "category": home}
    attributes = {"material": "wool", "weight": -0.5, "since": "2026-01-31", "vegan": True}
    make_shirt(shirts, "a", "red m", "blue xl -", attributes=attributes, name="Shirt", **shelf)
    attributes |= {"material": "silk", "weight": 1e15, "since": "1969-12-31", "vegan": False}
    make_shirt(
        shirts, "b", "red m -", attributes=attributes, name="Shirt", brand=make_brand(slug="bolt")
    )

    make_shirt(shirts, "c", "blue m -", "red xl", attributes=attributes, name="Shirt", **shelf)
    blue, names = {"attr.color": "blue"}, set[str]()

    for chosen in (
        {},
        {"in_stock": "true"},
        {"in_stock": "false"},
        {"attr.color": "red"},
        blue,
        blue | {"in_stock": "true"},
        blue | {"in_stock": "false", "category": "home"},
        blue | {"q": "shirt", "attr.vegan": "false"},
        {"q": "shirt", "price_min": "1", "rating_min": "0"},
    ):
        shown(api, "/products/")
        body = api.client.get("/api/v1/products/facets/", chosen).json()
        sent = [
            (chosen | query, count)
            for facet in body["items"]
            for query, count in offers(facet, body["total"])
        ]

        assert [listed(api, **query) for query, _ in sent] == [count for _, count in sent]
        names |= {name for query, _ in sent for name in query}
    assert {"attr.color", "attr.vegan", "in_stock", "price_min", "price_max"} <= names
    assert {"attr.weight.min", "attr.weight.max", "attr.since.min", "attr.since.max"} <= names
    assert {"brand", "category", "attr.size", "attr.material"} <= names


def test_the_counts_of_a_facet_ignore_its_own_choice(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m", "blue xl")
    make_shirt(shirts, "b", "blue m")
    make_shirt(shirts, "c", "red xl")

    assert counts(api, "color", "attr.color=red") == {"red": 2, "blue": 2}
    assert counts(api, "size", "attr.color=red") == {"m": 1, "xl": 1}
    assert counts(api, "color", "attr.color=red&attr.size=xl") == {"red": 1, "blue": 1}
    values = facet(api, "color", "attr.color=red")["values"]
    assert [each["selected"] for each in values] == [True, False]
    assert api.get("/products/facets/?attr.color=red").json()["total"] == 2


def test_what_is_chosen_is_shown_even_with_no_product(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m")

    assert counts(api, "color", "attr.color=green") == {"red": 1, "green": 0}


def test_counts_of_what_is_in_stock_are_those_of_its_variants(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m", "blue xl -")
    make_shirt(shirts, "b", "red m -")

    assert counts(api, "color", "in_stock=true") == {"red": 1}
    assert counts(api, "in_stock", "in_stock=true") == {"true": 1, "false": 1}


def test_brand_category_and_price_are_facets_too(api: Api):
    acme, bolt = make_brand(slug="acme", name="Acme"), make_brand(slug="bolt", name="Bolt")
    root = make_category(slug="kitchen", name="Kitchen")
    pots = make_category(slug="pots", name="Pots", parent=root)
    make_card(100, brand=acme, category=pots)
    make_card(900, brand=acme, category=root)
    make_card(500, brand=bolt, category=make_category(slug="tents", name="Tents"))

    assert counts(api, "brand") == {"acme": 2, "bolt": 1}
    assert counts(api, "brand", "brand=bolt") == {"bolt": 1, "acme": 2}
    assert counts(api, "category") == {"kitchen": 2, "tents": 1}
    assert counts(api, "category", "category=kitchen") == {"pots": 1}
    price = facet(api, "price", "price_max=200")
    assert (price["min"], price["max"]) == (100, 900)
    assert counts(api, "brand", "price_max=200") == {"acme": 1}


def test_facets_of_a_search_count_what_it_finds(api: Api, shirts: ProductType):
    make_shirt(shirts, "a", "red m", name="Linen shirt")
    make_shirt(shirts, "b", "blue m", name="Linen shirt")
    make_shirt(shirts, "c", "blue m", name="Coat")

    assert counts(api, "color", "q=linen") == {"red": 1, "blue": 1}
    assert counts(api, "color", "q=linen&attr.color=red") == {"red": 1, "blue": 1}
    assert api.get("/products/facets/?q=linen&attr.color=red").json()["total"] == 1


def test_of_many_products_a_sample_is_counted_and_said_to_be(
    api: Api, shirts: ProductType, monkeypatch
):
    for number in range(120):
        make_shirt(shirts, f"a{number}", "red m" if number % 4 else "blue m")
    exact = counts(api, "color")
    assert exact == {"red": 90, "blue": 30}

    monkeypatch.setattr(facets, "SAMPLE", 60)
    body = api.get("/products/facets/").json()

    assert body["exact"] is False
    assert 60 <= body["total"] <= 240
    color = next(each for each in body["items"] if each["code"] == "color")
    assert sum(each["count"] for each in color["values"]) == pytest.approx(body["total"], abs=2)


def test_facets_take_one_query_however_many_products(
    api: Api, shirts: ProductType, django_assert_num_queries
):
    make_shirt(shirts, "first", "red m")
    shown(api, "/products/facets/?attr.color=red")
    with django_assert_num_queries(1):
        api.get("/products/facets/?attr.color=red")

    for number in range(49):
        make_shirt(shirts, f"a{number}", "red m", "blue xl")
    rebuild_listing()
    with django_assert_num_queries(1):
        assert api.get("/products/facets/?attr.color=red").json()["total"] == 50

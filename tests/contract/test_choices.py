"""A refused value is told with what is allowed instead, or with where that is listed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from lavka.inventory.models import Warehouse
from lavka.listing.properties import kinds
from lavka.web.views import View
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_image,
    make_type,
    make_variant,
    use_attribute,
)
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.contract.test_worst_bodies import operations
from tests.contract.worst import UUID, Bodies
from tests.inventory.factories import make_stock
from tests.orders.factories import make_line, make_order

pytestmark = pytest.mark.django_db

WRONG = "no such thing"


@pytest.fixture(autouse=True)
def _shop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No limits, and refusals that do not depend on what the path names, of which there is none."""

    async def shown(view: View, response: Any) -> Any:
        return response

    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}
    monkeypatch.setattr(View, "_hidden_from_strangers", shown)


def enums(bodies: Bodies, node: Any, pointer: str = "#") -> Iterator[tuple[str, Any]]:
    """Each place in a body where one of some values is expected, and a body that is wrong there."""
    node = bodies.resolved(node)
    if "enum" in node:
        yield pointer, WRONG
    elif node.get("type") == "array":
        for inner, body in enums(bodies, node["items"], f"{pointer}/0"):
            yield inner, [body]
    for name, each in node.get("properties", {}).items():
        for inner, body in enums(bodies, each, f"{pointer}/{name}"):
            yield inner, {name: body}


def test_every_choice_in_a_body_is_told(api: Api, schema: dict[str, Any]):
    token, bodies = token_of(make_staff()), Bodies(schema)
    asked, silent = 0, []

    for method, path, operation in operations(schema):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for pointer, body in enums(bodies, media["schema"]):
                told = api.request(method, path, body, token=token, Idempotency_Key="a" * 32).json()
                (error,) = [each for each in told["errors"] if each["pointer"] == pointer]
                asked += 1
                if not (error.get("choices") or error.get("choices_url")):
                    silent.append((operation["operationId"], error))

    assert asked > 20
    assert silent == []


def test_every_choice_of_a_parameter_is_told(api: Api, schema: dict[str, Any]):
    token = token_of(make_staff())
    asked, silent = 0, []

    for method, path, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            kind = parameter["schema"].get("items", parameter["schema"])
            if parameter["in"] == "query" and ("enum" in kind or kind.get("type") == "boolean"):
                told = api.request(method, f"{path}?{parameter['name']}={WRONG}", token=token)
                (error,) = told.json()["errors"]
                asked += 1
                expected = {str(each) for each in kind.get("enum", ["true", "false"])}
                if set(error.get("choices", ())) != expected:
                    silent.append((operation["operationId"], error))

    assert asked > 20
    assert silent == []


def test_an_unknown_name_is_told_with_those_that_there_are(api: Api, schema: dict[str, Any]):
    token, bodies = token_of(make_staff()), Bodies(schema)
    silent = []

    for method, path, operation in operations(schema):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            node = bodies.resolved(media["schema"])
            if node.get("additionalProperties") is False and node.get("properties"):
                body = {"surprise": 1}
                told = api.request(method, path, body, token=token, Idempotency_Key="a" * 32).json()
                (error,) = [each for each in told["errors"] if each["pointer"] == "#/surprise"]
                if set(error["choices"]) != node["properties"].keys():
                    silent.append((operation["operationId"], error))

    assert silent == []


def told(response: Any, pointer: str) -> dict[str, Any]:
    """What is told of one refused part."""
    assert response.status_code == 422, response.content
    (error,) = [each for each in response.json()["errors"] if each["pointer"] == pointer]
    return {name: error[name] for name in ("choices", "choices_url") if name in error}


def product_with(**fields: Any) -> dict[str, Any]:
    return {"product_type": "kettle", "name": "Kettle", "slug": "kettle"} | fields


@pytest.fixture
def staff() -> str:
    return token_of(make_staff())


@pytest.fixture
def kettles() -> None:
    kind = make_type(code="kettle")
    use_attribute(kind, make_attribute("red", "blue", code="color"), is_option=True)
    use_attribute(kind, make_attribute("steel", "glass", code="material"))
    for slug in ("acme", "bolt"):
        make_brand(slug=slug)
    make_category(slug="kitchen")


ATTRIBUTES = "/api/v1/manage/attributes/"


@pytest.mark.usefixtures("kettles")
@pytest.mark.parametrize(
    ("fields", "pointer", "expected"),
    [
        (
            {"brand": WRONG},
            "#/brand",
            {"choices": ["acme", "bolt"], "choices_url": "/api/v1/brands/"},
        ),
        (
            {"category": WRONG},
            "#/category",
            {"choices": ["kitchen"], "choices_url": "/api/v1/categories/"},
        ),
        (
            {"product_type": WRONG},
            "#/product_type",
            {"choices": ["kettle"], "choices_url": "/api/v1/manage/product-types/"},
        ),
        ({"brand": ""}, "#/brand", {"choices_url": "/api/v1/brands/"}),
        ({"category": 7}, "#/category", {"choices_url": "/api/v1/categories/"}),
        (
            {"product_type": None},
            "#/product_type",
            {"choices_url": "/api/v1/manage/product-types/"},
        ),
        ({"attributes": {"colour": "red"}}, "#/attributes/colour", {"choices": ["material"]}),
        (
            {"attributes": {"material": "wood"}},
            "#/attributes/material",
            {"choices": ["steel", "glass"], "choices_url": ATTRIBUTES},
        ),
    ],
)
def test_a_product_is_refused_with_what_there_is(
    api: Api, staff: str, fields: dict[str, Any], pointer: str, expected: dict[str, Any]
):
    response = api.post("/manage/products/", product_with(**fields), token=staff)

    assert told(response, pointer) == expected


@pytest.mark.usefixtures("kettles")
@pytest.mark.parametrize(
    ("variant", "pointer", "expected"),
    [
        ({"options": {"colour": "red"}}, "options/colour", {"choices": ["color"]}),
        (
            {"options": {"color": "pink"}},
            "options/color",
            {"choices": ["red", "blue"], "choices_url": ATTRIBUTES},
        ),
        (
            {"options": {"color": "red"}, "price": {"amount": 1, "currency": "XXX"}},
            "price/currency",
            {"choices": ["USD"]},
        ),
        (
            {"options": {"color": "red"}, "price": {"amount": 1, "currency": "US"}},
            "price/currency",
            {"choices": ["USD"]},
        ),
    ],
)
def test_a_variant_is_refused_with_what_there_is(
    api: Api, staff: str, variant: dict[str, Any], pointer: str, expected: dict[str, Any]
):
    whole = {"sku": "K", "price": {"amount": 1, "currency": "USD"}} | variant

    response = api.post("/manage/products/", product_with(variants=[whole]), token=staff)

    assert told(response, f"#/variants/0/{pointer}") == expected


@pytest.mark.usefixtures("kettles")
def test_a_product_type_is_refused_with_the_attributes_that_there_are(
    api: Api, staff: str, django_assert_max_num_queries: Any
):
    body = {"code": "pot", "name": "Pot", "attributes": [{"attribute": WRONG}] * 100}

    with django_assert_max_num_queries(8):
        response = api.post("/manage/product-types/", body, token=staff)

    expected = {"choices": ["color", "material"], "choices_url": ATTRIBUTES}
    assert told(response, "#/attributes/7/attribute") == expected
    assert len(response.json()["errors"]) == 20


def test_of_many_choices_only_the_path_is_told(api: Api, staff: str):
    for number in range(51):
        make_brand(slug=f"brand-{number:02}")

    response = api.post("/manage/products/", product_with(brand=WRONG), token=staff)

    assert told(response, "#/brand") == {"choices_url": "/api/v1/brands/"}


def test_no_code_of_a_warehouse_is_refused_with_where_they_are_listed(api: Api, staff: str):
    path = f"/manage/variants/{make_stock(3).pk}/stock/"

    response = api.put(path, {"warehouse": "Main hall", "on_hand": 5}, token=staff)

    assert told(response, "#/warehouse") == {"choices_url": "/api/v1/manage/warehouses/"}


def test_pictures_are_refused_with_those_of_the_product(api: Api, staff: str):
    variant = make_variant()
    image = make_image(product=variant.product)
    path = f"/manage/products/{variant.product_id}/images/"

    order = api.put(path, {"images": [UUID]}, token=staff)
    shown = api.patch(f"/manage/variants/{variant.pk}/", {"image_ids": [UUID]}, token=staff)

    assert told(order, "#/images") == {"choices": [str(image.pk)]}
    assert told(shown, "#/image_ids/0") == {"choices": [str(image.pk)]}


def test_a_warehouse_is_refused_with_those_that_there_are(api: Api, staff: str):
    variant = make_stock(3)
    body = {"warehouse": "nowhere", "on_hand": 5}

    response = api.put(f"/manage/variants/{variant.pk}/stock/", body, token=staff)

    codes = list(Warehouse.objects.order_by("code").values_list("code", flat=True))
    assert told(response, "#/warehouse") == {
        "choices": codes,
        "choices_url": "/api/v1/manage/warehouses/",
    }


def test_a_shopper_is_told_what_may_be_bought_sent_and_paid_with(api: Api):
    cart = make_ready_cart(make_stock(9))
    buyer = Buyer(api, cart)
    quote = buyer.quote().json()["id"]
    path = f"/carts/{cart.pk}"

    line = api.post(f"{path}/lines/", {"variant_id": UUID, "quantity": 1})
    option = api.put(f"{path}/shipping-option/", {"id": "pigeon"})
    refused = [
        api.post(
            f"{path}/checkout/",
            {"quote_id": quote, "payment": {"method": method}},
            Idempotency_Key="a" * 32,
        )
        for method in ("shells", "")
    ]

    options_path = f"/api/v1{path}/shipping-options/"
    options = [each["id"] for each in api.get(options_path).json()["items"]]
    assert told(line, "#/variant_id") == {"choices_url": "/api/v1/products/"}
    assert told(option, "#/id") == {"choices": options, "choices_url": options_path}
    for paid in refused:
        assert told(paid, "#/payment/method") == {
            "choices": list(settings.LAVKA["PAYMENT_GATEWAYS"]),
            "choices_url": "/api/v1/shop/",
        }


@pytest.mark.usefixtures("kettles")
def test_attributes_to_filter_by_are_told(api: Api):
    kinds.forget()

    response = api.get("/products/?attr.colour=red")

    expected = {"choices": ["color", "material"], "choices_url": "/api/v1/products/facets/"}
    assert told(response, "?attr.colour") == expected


@pytest.mark.parametrize(
    ("changes", "pointer", "expected"),
    [
        ({"country": "UK"}, "#/country", {"choices_url": "/api/v1/countries/"}),
        (
            {"country": "AU", "region": "Bavaria"},
            "#/region",
            {
                "choices": ["ACT", "JBT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"],
                "choices_url": "/api/v1/countries/AU/",
            },
        ),
    ],
)
def test_an_address_is_refused_with_what_its_country_has(
    api: Api, changes: dict[str, str], pointer: str, expected: dict[str, Any]
):
    address = {"name": "Ada", "line1": "12 St James's Square", "city": "Perth"} | changes

    response = api.post("/me/addresses/", address, token=token_of(make_customer()))

    assert told(response, pointer) == expected


def test_lines_of_an_order_are_told(api: Api, staff: str):
    order = make_order(make_line(), make_line())
    body = {"lines": [{"line_id": UUID, "quantity": 1}], "carrier": "Post"}

    response = api.post(f"/manage/orders/{order.pk}/shipments/", body, token=staff)

    (error,) = response.json()["errors"]
    assert (response.status_code, error["pointer"]) == (404, "#/lines")
    assert set(error["choices"]) == {str(each.pk) for each in order.lines.all()}


def test_choices_are_told_as_long_as_there_is_room(api: Api, staff: str):
    """Twenty refusals, each with fifty choices of a hundred characters, are 100 KB of choices."""
    long = make_attribute(*(f"{number:02}".ljust(100, "a") for number in range(50)), code="long")
    kind = make_type(code="kettle")
    use_attribute(kind, long, is_option=True)
    variant = {"price": {"amount": 1, "currency": "USD"}, "options": {"long": "none"}}
    variants = [variant | {"sku": f"K{number}"} for number in range(30)]

    response = api.post("/manage/products/", product_with(variants=variants), token=staff)

    assert response.status_code == 422
    assert len(response.json()["errors"]) == 20
    assert len(response.content) < 64 * 1024
    assert told(response, "#/variants/19/options/long") == {"choices_url": ATTRIBUTES}

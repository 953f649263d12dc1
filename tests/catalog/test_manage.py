"""What all that staff run over HTTP has in common: who may, and how many queries it takes."""

import uuid

import pytest

from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_kettle_type,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)

pytestmark = pytest.mark.django_db


NOTHING = uuid.UUID(int=0)
PATHS = [
    ("attributes", "attribute", ["GET", "POST"], ["GET", "PATCH", "DELETE"]),
    ("product-types", "producttype", ["GET", "POST"], ["GET", "PATCH", "DELETE"]),
    ("categories", "category", ["GET", "POST"], ["GET", "PATCH", "DELETE"]),
    ("brands", "brand", ["GET", "POST"], ["GET", "PATCH", "DELETE"]),
    ("products", "product", ["GET", "POST"], ["GET", "PATCH", "DELETE"]),
    (f"products/{NOTHING}/variants", "variant", ["GET", "POST", "PUT"], []),
    ("variants", "variant", [], ["GET", "PATCH", "DELETE"]),
    (f"products/{NOTHING}/images", "productimage", ["GET", "POST", "PUT"], []),
    ("images", "productimage", [], ["GET", "PATCH", "DELETE"]),
]
OPERATIONS = [
    (method, f"/manage/{path}/", model) for path, model, many, _ in PATHS for method in many
] + [
    (method, f"/manage/{path}/{NOTHING}/", model) for path, model, _, one in PATHS for method in one
]
ACTIONS = {"GET": "view", "POST": "add", "PATCH": "change", "PUT": "change", "DELETE": "delete"}


@pytest.mark.parametrize(("method", "path", "model"), OPERATIONS)
def test_each_operation_needs_its_own_right(api, method, path, model):
    others = [f"catalog.{each}_{model}" for each in set(ACTIONS.values()) - {ACTIONS[method]}]
    body = None if method in {"GET", "DELETE"} else {}

    anonymous = api.request(method, path, body)
    customer = api.request(method, path, body, token=token_of(make_customer()))
    without = api.request(method, path, body, token=token_of(make_staff(*others)))
    holder = make_staff(f"catalog.{ACTIONS[method]}_{model}")
    allowed = api.request(method, path, body, token=token_of(holder))

    assert anonymous.status_code == 401
    assert customer.status_code == 403
    assert without.status_code == 403
    assert allowed.status_code in {200, 404, 422}


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(api, token, django_assert_num_queries, count):
    product_type = make_kettle_type()
    for n in range(count):
        product = make_product(
            product_type=product_type, brand=make_brand(), category=make_category()
        )
        make_variant(product=product, options={"color": str(n)})
        make_variant(product=product, options={"color": f"other {n}"})
        use_attribute(make_type(), make_attribute("a", "b"))

    right = 1
    for path, queries in (
        ("products", 1),
        ("attributes", 2),
        ("product-types", 2),
        ("categories", 1),
        ("brands", 1),
        (f"products/{product.pk}", 4),
    ):
        with django_assert_num_queries(right + queries):
            assert api.get(f"/manage/{path}/", token=token).status_code == 200

"""Staff run brands and categories over HTTP."""

import pytest

from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    ProductType,
)
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_product,
    make_type,
    use_attribute,
)
from tests.catalog.managing import refusals

pytestmark = pytest.mark.django_db


def test_a_brand_lives_and_dies(api, token):
    created = api.post("/manage/brands/", {"name": "Ömer & Söhne"}, token=token)
    path = f"/manage/brands/{created.json()['id']}/"
    renamed = api.patch(path, {"slug": "omer", "description": "Pots"}, token=token)

    assert created.status_code == 201
    assert created.json()["slug"] == "omer-sohne"
    assert renamed.json() == created.json() | {"slug": "omer", "description": "Pots"}
    assert api.get(path, token=token).json() == renamed.json()
    assert api.get("/brands/omer-sohne/")["Location"] == "/api/v1/brands/omer/"
    assert api.patch(path, {}, token=token, If_Match=created["ETag"]).status_code == 412
    assert api.delete(path, token=token).status_code == 204
    assert not Brand.objects.exists()


def test_a_taken_slug_is_refused(api, token):
    make_brand(slug="acme")
    make_category(slug="pots")
    other = make_brand(slug="other")

    answers = [
        api.post("/manage/brands/", {"name": "A", "slug": "acme"}, token=token),
        api.patch(f"/manage/brands/{other.pk}/", {"slug": "acme"}, token=token),
        api.post("/manage/categories/", {"name": "A", "slug": "pots"}, token=token),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert [refusals(answer) for answer in answers] == [[("#/slug", "taken")]] * 3
    assert sorted(Brand.objects.values_list("slug", flat=True)) == ["acme", "other"]


def test_a_category_is_moved_but_not_into_itself(api, token):
    top = api.post("/manage/categories/", {"name": "Top"}, token=token).json()
    inner = api.post("/manage/categories/", {"name": "Inner", "parent": "top"}, token=token).json()
    make_category(slug="deep", parent=Category.objects.get(slug="inner"))

    into_deep = api.patch(f"/manage/categories/{top['id']}/", {"parent": "deep"}, token=token)
    into_self = api.patch(f"/manage/categories/{top['id']}/", {"parent": "top"}, token=token)
    to_top = api.patch(f"/manage/categories/{inner['id']}/", {"parent": None}, token=token)

    assert inner["parent"] == "top"
    assert (into_deep.status_code, into_deep.json()["code"]) == (409, "category_cycle")
    assert (into_self.status_code, into_self.json()["code"]) == (409, "category_cycle")
    assert to_top.json()["parent"] is None
    assert Category.objects.get(slug="top").parent is None


@pytest.mark.parametrize("kind", ["product", "category"])
def test_a_category_in_which_something_stands_is_not_deleted(api, token, kind):
    shelf = make_category()
    if kind == "product":
        make_product(category=shelf)
    else:
        make_category(parent=shelf)

    answer = api.delete(f"/manage/categories/{shelf.pk}/", token=token)

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Category.objects.filter(pk=shelf.pk).exists()


def test_an_empty_category_is_deleted(api, token):
    shelf = make_category()

    assert api.delete(f"/manage/categories/{shelf.pk}/", token=token).status_code == 204
    assert not Category.objects.exists()


def test_what_products_stand_on_is_not_deleted(api, token):
    brand = make_brand()
    product_type = make_type()
    attribute = make_attribute()
    use_attribute(product_type, attribute)
    make_product(brand=brand, product_type=product_type)

    for path in (
        f"/manage/brands/{brand.pk}/",
        f"/manage/product-types/{product_type.pk}/",
        f"/manage/attributes/{attribute.pk}/",
    ):
        answer = api.delete(path, token=token)
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Brand.objects.exists()
    assert ProductType.objects.exists()
    assert Attribute.objects.exists()

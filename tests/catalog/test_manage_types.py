"""Staff run attributes and product types over HTTP."""

import pytest

from lavka.catalog.models import (
    Attribute,
    Choice,
    ProductType,
)
from tests.catalog.factories import (
    make_attribute,
)
from tests.catalog.managing import make_kettle, refusals

pytestmark = pytest.mark.django_db


def test_an_attribute_lives_and_dies(api, token):
    body = {
        "code": "color",
        "name": "Color",
        "kind": "choice",
        "choices": [{"code": "red", "label": "Red"}, {"code": "blue", "label": "Blue"}],
    }
    created = api.post("/manage/attributes/", body, token=token)
    path = f"/manage/attributes/{created.json()['id']}/"
    choices = [{"code": "blue", "label": "Navy"}, {"code": "green", "label": "Green"}]
    changed = api.patch(path, {"name": "Colour", "choices": choices}, token=token)

    assert created.status_code == 201
    assert created.json() == body | {"id": created.json()["id"], "unit": ""}
    assert changed.json() == created.json() | {"name": "Colour", "choices": choices}
    assert api.get(path, token=token).json() == changed.json()
    assert api.patch(path, {"kind": "text"}, token=token).status_code == 422
    assert api.delete(path, token=token, If_Match=created["ETag"]).status_code == 412
    assert api.delete(path, token=token).status_code == 204
    assert not Choice.objects.exists()


@pytest.mark.parametrize(
    ("change", "status", "refused"),
    [
        ({"code": "Color"}, 422, [("#/code", "invalid")]),
        ({"code": "taken"}, 409, [("#/code", "taken")]),
        ({"kind": "colour"}, 422, [("#/kind", "invalid_choice")]),
        (
            {"kind": "text", "choices": [{"code": "a", "label": "A"}]},
            422,
            [("#/choices", "not_allowed")],
        ),
        (
            {"choices": [{"code": "a", "label": "A"}, {"code": "a", "label": "B"}]},
            422,
            [("#/choices/1/code", "duplicate")],
        ),
    ],
)
def test_a_bad_attribute_is_refused(api, token, change, status, refused):
    make_attribute(code="taken")
    body = {"code": "color", "name": "Color", "kind": "choice"} | change

    answer = api.post("/manage/attributes/", body, token=token)

    assert answer.status_code == status
    assert refusals(answer) == refused
    assert Attribute.objects.count() == 1


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("color", [{"code": "red", "label": "Red"}]),
        ("materials", [{"code": "steel", "label": "S"}]),
    ],
)
def test_a_choice_that_products_have_is_not_left_out(api, token, code, kept):
    make_kettle(api, token)
    attribute = Attribute.objects.get(code=code)
    before = list(attribute.choices.values_list("code", "label"))

    answer = api.patch(f"/manage/attributes/{attribute.pk}/", {"choices": kept}, token=token)

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert list(attribute.choices.values_list("code", "label")) == before


def test_a_product_type_lives_and_dies(api, token):
    make_attribute("m", "l", code="size")
    make_attribute(code="fabric")
    uses = [
        {"attribute": "size", "is_option": True, "is_required": False},
        {"attribute": "fabric", "is_option": False, "is_required": True},
    ]
    body = {"code": "shirt", "name": "Shirt", "attributes": uses}
    created = api.post("/manage/product-types/", body, token=token)
    path = f"/manage/product-types/{created.json()['id']}/"
    changed = api.patch(path, {"name": "Shirts", "attributes": uses[::-1]}, token=token)

    assert created.status_code == 201
    assert created.json() == body | {"id": created.json()["id"]}
    assert changed.json() == created.json() | {"name": "Shirts", "attributes": uses[::-1]}
    assert api.get(path, token=token).json() == changed.json()
    assert api.patch(path, {}, token=token, If_Match=created["ETag"]).status_code == 412
    assert api.delete(path, token=token).status_code == 204
    assert not ProductType.objects.exists()


@pytest.mark.parametrize(
    ("uses", "refused"),
    [
        ([{"attribute": "nothing"}], [("#/attributes/0/attribute", "unknown")]),
        (
            [{"attribute": "fabric", "is_option": True}],
            [("#/attributes/0/is_option", "not_allowed")],
        ),
        (
            [{"attribute": "fabric"}, {"attribute": "fabric"}],
            [("#/attributes/1/attribute", "duplicate")],
        ),
        ([{"attribute": "fabric", "is_option": 1}], [("#/attributes/0/is_option", "invalid")]),
    ],
)
def test_a_bad_product_type_is_refused(api, token, uses, refused):
    make_attribute(code="fabric")
    body = {"code": "shirt", "name": "Shirt", "attributes": uses}

    answer = api.post("/manage/product-types/", body, token=token)

    assert answer.status_code == 422
    assert refusals(answer) == refused
    assert not ProductType.objects.exists()


@pytest.mark.parametrize(
    "uses",
    [
        [{"attribute": "volume"}],
        [{"attribute": "color"}, {"attribute": "volume"}, {"attribute": "materials"}],
    ],
    ids=["left out", "no option any more"],
)
def test_an_attribute_that_products_have_stays_in_their_type(api, token, uses):
    make_kettle(api, token)
    path = f"/manage/product-types/{ProductType.objects.get().pk}/"
    before = api.get(path, token=token).json()

    answer = api.patch(path, {"attributes": uses}, token=token)

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert api.get(path, token=token).json() == before

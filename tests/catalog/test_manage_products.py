"""Staff run products and their variants over HTTP."""

import pytest

from lavka.catalog.models import (
    Product,
    ProductType,
    Variant,
)
from lavka.kernel.models import OutboxEvent
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_kettle_type,
    make_product,
    make_variant,
    use_attribute,
)
from tests.catalog.managing import BLUE, KETTLE, RED, make_kettle, refusals

pytestmark = pytest.mark.django_db


def test_a_product_is_created_with_its_variants(api, token):
    make_brand(slug="acme")
    make_category(slug="kettles")

    created = make_kettle(api, token, brand="acme", category="kettles", status="published")

    product = created.json()
    assert product | {"id": "", "created_at": "", "updated_at": "", "variants": ""} == {
        "id": "",
        "slug": "chaynik-so-svistkom",
        "name": "Чайник со свистком",
        "product_type": "kettle",
        "brand": "acme",
        "category": "kettles",
        "status": "published",
        "publish_at": None,
        "unpublish_at": None,
        "created_at": "",
        "updated_at": "",
        "description": "",
        "attributes": {"volume": 1.7, "materials": ["steel", "glass"]},
        "seo_title": "",
        "seo_description": "",
        "variants": "",
        "images": [],
    }
    assert [variant | {"id": ""} for variant in product["variants"]] == [
        each
        | {
            "id": "",
            "gtin": "",
            "compare_at_price": None,
            "cost": None,
            "track_inventory": True,
            "is_in_stock": False,
            "weight_grams": None,
            "image_ids": [],
        }
        for each in (RED, BLUE)
    ]
    read = api.get(f"/manage/products/{product['id']}/", token=token)
    assert read.json() == product
    assert read["ETag"] == created["ETag"]


@pytest.mark.parametrize(
    ("change", "status", "refused"),
    [
        ({"product_type": "sofa"}, 422, [("#/product_type", "unknown")]),
        ({"brand": "nobody"}, 422, [("#/brand", "unknown")]),
        ({"category": "nowhere"}, 422, [("#/category", "unknown")]),
        ({"name": ""}, 422, [("#/name", "blank")]),
        ({"slug": "not a slug"}, 422, [("#/slug", "invalid")]),
        ({"status": "gone"}, 422, [("#/status", "invalid_choice")]),
        ({"colour": "red"}, 422, [("#/colour", "unknown")]),
        ({"attributes": {}}, 422, [("#/attributes/volume", "required")]),
        ({"attributes": {"volume": "1.7"}}, 422, [("#/attributes/volume", "invalid")]),
        (
            {"attributes": {"volume": 1, "color": "red"}},
            422,
            [("#/attributes/color", "unknown")],
        ),
        (
            {"attributes": {"volume": 1, "materials": ["wood"]}},
            422,
            [("#/attributes/materials", "unknown_choice")],
        ),
        (
            {"publish_at": "2026-02-01T00:00:00Z", "unpublish_at": "2026-01-01T00:00:00Z"},
            422,
            [("#/unpublish_at", "not_later")],
        ),
        ({"publish_at": "2026-02-01T00:00:00"}, 422, [("#/publish_at", "no_offset")]),
        ({"publish_at": "0001-01-01T00:00:00+14:00"}, 422, [("#/publish_at", "out_of_range")]),
        (
            {"variants": [RED | {"price": {"amount": 1, "currency": "EUR"}}]},
            422,
            [("#/variants/0/price/currency", "currency_mismatch")],
        ),
        (
            {"variants": [RED | {"price": {"amount": -1, "currency": "USD"}}]},
            422,
            [("#/variants/0/price/amount", "min_value")],
        ),
        (
            {"variants": [RED | {"compare_at_price": {"amount": 4899, "currency": "USD"}}]},
            422,
            [("#/variants/0/compare_at_price", "below_price")],
        ),
        (
            {"variants": [RED, RED | {"sku": "K-RED-2"}]},
            422,
            [("#/variants/1/options", "duplicate")],
        ),
        ({"variants": [RED, BLUE | {"sku": "K-RED"}]}, 422, [("#/variants/1/sku", "duplicate")]),
        (
            {"variants": [RED | {"options": {"color": "green"}}]},
            422,
            [("#/variants/0/options/color", "unknown_choice")],
        ),
        (
            {"variants": [RED | {"options": {}}]},
            422,
            [("#/variants/0/options/color", "required")],
        ),
        ({"variants": [RED | {"gtin": "123"}]}, 422, [("#/variants/0/gtin", "invalid")]),
        ({"variants": [RED | {"gtin": "١٢٣٤٥٦٧٨"}]}, 422, [("#/variants/0/gtin", "invalid")]),
        ({"slug": "taken"}, 409, [("#/slug", "taken")]),
        ({"variants": [BLUE, RED | {"sku": "OTHERS"}]}, 409, [("#/variants/1/sku", "taken")]),
        ({"variants": [RED | {"gtin": "12345670"}]}, 409, [("#/variants/0/gtin", "taken")]),
    ],
)
def test_a_bad_product_is_refused_where_it_is_bad_and_not_saved(
    api, token, change, status, refused
):
    make_kettle_type()
    make_variant(product=make_product(slug="taken"), sku="OTHERS", gtin="12345670")
    events = OutboxEvent.objects.count()

    answer = api.post("/manage/products/", KETTLE | change, token=token)

    assert answer.status_code == status
    assert refusals(answer) == refused
    assert Product.objects.count() == 1
    assert OutboxEvent.objects.count() == events


def test_two_products_of_one_name_have_two_slugs(api, token):
    make_kettle(api, token)
    second = api.post("/manage/products/", KETTLE | {"variants": []}, token=token)

    assert second.json()["slug"] == "chaynik-so-svistkom-2"


def test_a_product_is_changed_by_what_is_named(api, token):
    product = make_kettle(api, token).json()

    answer = api.patch(
        f"/manage/products/{product['id']}/",
        {"name": "Kettle", "attributes": {"volume": 2, "materials": None}},
        token=token,
    )

    assert answer.status_code == 200
    changed = answer.json()
    assert changed == product | {
        "name": "Kettle",
        "attributes": {"volume": 2},
        "updated_at": changed["updated_at"],
    }


def test_a_change_of_what_was_changed_meanwhile_is_refused(api, token):
    created = make_kettle(api, token)
    path = f"/manage/products/{created.json()['id']}/"
    seen = created["ETag"]
    first = api.patch(path, {"name": "First"}, token=token, If_Match=seen)

    second = api.patch(path, {"name": "Second"}, token=token, If_Match=seen)
    deletion = api.delete(path, token=token, If_Match=seen)
    third = api.patch(path, {"name": "Third"}, token=token, If_Match=first["ETag"])

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    assert deletion.status_code == 412
    assert third.status_code == 200
    assert Product.objects.get().name == "Third"


def test_a_new_variant_is_a_change_of_the_product(api, token):
    created = make_kettle(api, token, variants=[RED])
    path = f"/manage/products/{created.json()['id']}/"
    api.post(f"{path}variants/", BLUE, token=token)

    assert api.patch(path, {}, token=token, If_Match=created["ETag"]).status_code == 412


def test_what_the_type_asks_for_now_is_asked_for_at_publishing(api, token):
    path = f"/manage/products/{make_kettle(api, token).json()['id']}/"
    use_attribute(ProductType.objects.get(), make_attribute(code="power"), is_required=True)

    renamed = api.patch(path, {"name": "Kettle"}, token=token)
    published = api.patch(path, {"status": "published"}, token=token)

    assert renamed.status_code == 200
    assert published.status_code == 422
    assert refusals(published) == [("#/attributes/power", "required")]
    assert Product.objects.get().status == "draft"


def test_a_deleted_product_is_gone_with_its_variants(api, token):
    path = f"/manage/products/{make_kettle(api, token).json()['id']}/"

    answer = api.delete(path, token=token)

    assert answer.status_code == 204
    assert not Product.objects.exists()
    assert not Variant.objects.exists()
    assert api.get(path, token=token).status_code == 404


def test_the_set_of_variants_is_replaced_and_kept_ones_keep_their_ids(api, token):
    product = make_kettle(api, token).json()
    ids = {variant["sku"]: variant["id"] for variant in product["variants"]}
    swapped = [BLUE | {"options": {"color": "red"}}, RED | {"options": {"color": "blue"}}]
    path = f"/manage/products/{product['id']}/variants/"

    answer = api.put(path, {"variants": swapped}, token=token)

    assert answer.status_code == 200
    assert [(v["id"], v["sku"], v["options"]) for v in answer.json()["items"]] == [
        (ids["K-BLUE"], "K-BLUE", {"color": "red"}),
        (ids["K-RED"], "K-RED", {"color": "blue"}),
    ]
    assert api.put(path, {"variants": [BLUE]}, token=token).status_code == 200
    assert [variant.sku for variant in Variant.objects.all()] == ["K-BLUE"]


def test_a_refused_set_of_variants_changes_none(api, token):
    product = make_kettle(api, token).json()
    path = f"/manage/products/{product['id']}/variants/"
    bad = BLUE | {"price": {"amount": 1, "currency": "RUB"}}

    answer = api.put(path, {"variants": [RED | {"sku": "NEW"}, bad]}, token=token)

    assert refusals(answer) == [("#/variants/1/price/currency", "currency_mismatch")]
    assert api.get(path, token=token).json()["items"] == product["variants"]


def test_one_variant_is_added_changed_and_deleted(api, token):
    product = make_kettle(api, token, variants=[RED]).json()

    added = api.post(f"/manage/products/{product['id']}/variants/", BLUE, token=token)
    path = f"/manage/variants/{added.json()['id']}/"
    changed = api.patch(
        path,
        {"price": {"amount": 3900, "currency": "USD"}, "weight_grams": 900},
        token=token,
        If_Match=added["ETag"],
    )
    stale = api.patch(path, {"sku": "K-2"}, token=token, If_Match=added["ETag"])

    assert added.status_code == 201
    assert changed.status_code == 200
    assert changed.json() == added.json() | {
        "price": {"amount": 3900, "currency": "USD"},
        "weight_grams": 900,
    }
    assert stale.status_code == 412
    assert api.get(path, token=token).json() == changed.json()
    assert api.delete(path, token=token).status_code == 204
    assert api.get(path, token=token).status_code == 404
    assert [variant.sku for variant in Variant.objects.all()] == ["K-RED"]


@pytest.mark.parametrize(
    ("change", "status", "refused"),
    [
        ({"sku": "K-RED"}, 409, [("#/sku", "taken")]),
        ({"options": {"color": "red"}}, 409, [("#/options", "taken")]),
        ({"options": {"color": "pink"}}, 422, [("#/options/color", "unknown_choice")]),
        ({"options": {"color": "blue", "size": "m"}}, 422, [("#/options/size", "unknown")]),
        (
            {"price": {"amount": 1, "currency": "EUR"}},
            422,
            [("#/price/currency", "currency_mismatch")],
        ),
        ({"price": 12.99}, 422, [("#/price", "invalid")]),
        ({"track_inventory": "yes"}, 422, [("#/track_inventory", "invalid")]),
        ({"is_in_stock": True}, 422, [("#/is_in_stock", "unknown")]),
        ({"cost": {"amount": -1, "currency": "USD"}}, 422, [("#/cost/amount", "min_value")]),
        (
            {"cost": {"amount": 1, "currency": "EUR"}},
            422,
            [("#/cost/currency", "currency_mismatch")],
        ),
        ({"weight_grams": 2**31}, 422, [("#/weight_grams", "max_value")]),
    ],
)
def test_a_bad_change_of_a_variant_changes_nothing(api, token, change, status, refused):
    product = make_kettle(api, token).json()
    blue = product["variants"][1]
    path = f"/manage/variants/{blue['id']}/"
    events = OutboxEvent.objects.count()

    answer = api.patch(path, change, token=token)

    assert answer.status_code == status
    assert refusals(answer) == refused
    assert api.get(path, token=token).json() == blue
    assert OutboxEvent.objects.count() == events

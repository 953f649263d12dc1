"""Staff run shelves and range over HTTP."""

import uuid

import pytest

from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Choice,
    Product,
    ProductType,
    Variant,
)
from lavka.kernel.models import OutboxEvent
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

RED = {"sku": "K-RED", "options": {"color": "red"}, "price": {"amount": 4900, "currency": "USD"}}
BLUE = {"sku": "K-BLUE", "options": {"color": "blue"}, "price": {"amount": 4500, "currency": "USD"}}
KETTLE = {
    "product_type": "kettle",
    "name": "Чайник со свистком",
    "attributes": {"volume": 1.7, "materials": ["glass", "steel"]},
    "variants": [RED, BLUE],
}


@pytest.fixture
def token() -> str:
    return token_of(make_staff())


def refusals(answer) -> list[tuple[str, str]]:
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


def make_kettle(api, token, **change):
    make_kettle_type()
    answer = api.post("/manage/products/", KETTLE | change, token=token)
    assert answer.status_code == 201, answer.content
    return answer


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
            "is_in_stock": True,
            "weight_grams": None,
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
            [("#/variants/0/price/currency", "wrong_currency")],
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


def test_staff_find_products_by_words_sku_and_status(api, token):
    kettle = make_product(name="Red kettle")
    make_variant(product=kettle, sku="KET-1")
    draft = make_product(name="Blue kettle", status="draft")
    make_product(name="Red lamp")

    def found(query):
        return [
            each["id"] for each in api.get(f"/manage/products/{query}", token=token).json()["items"]
        ]

    assert found("?q=kettle%20red") == [str(kettle.pk)]
    assert found("?q=ket-") == [str(kettle.pk)]
    assert found("?status=draft") == [str(draft.pk)]
    assert found("?q=kettle&status=draft") == [str(draft.pk)]
    assert api.get("/manage/products/?status=gone", token=token).status_code == 422


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

    assert refusals(answer) == [("#/variants/1/price/currency", "wrong_currency")]
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
            [("#/price/currency", "wrong_currency")],
        ),
        ({"price": 12.99}, 422, [("#/price", "invalid")]),
        ({"is_in_stock": "yes"}, 422, [("#/is_in_stock", "invalid")]),
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
        (f"products/{product.pk}", 3),
    ):
        with django_assert_num_queries(right + queries):
            assert api.get(f"/manage/{path}/", token=token).status_code == 200

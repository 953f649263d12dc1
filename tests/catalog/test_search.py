"""Staff find products by what is written on them."""

from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.urls import reverse

from lavka.catalog import selectors
from tests.accounts.factories import make_staff
from tests.catalog.factories import make_brand, make_category, make_product, make_variant

pytestmark = pytest.mark.django_db


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


def test_staff_find_products_by_slug_sku_and_gtin(api, token):
    kettle = make_product(name="Red kettle", slug="whistling-classic-2")
    make_variant(product=kettle, sku="KET-17-RED", gtin="0036000291452")
    make_variant(product=make_product(slug="pot"), sku="POT", gtin="96385074")

    for query in (
        "whistling-classic-2", "Classic-2", "ket-17-red", "17-re", "0036000291452",
        "036000291452", "36000291452", "0 36000-29145 2",
    ):  # fmt: skip
        found = api.get(f"/manage/products/?q={quote(query)}", token=token).json()["items"]
        assert [each["id"] for each in found] == [str(kettle.pk)], query
    for query in ("9638507", "00", "%", "_"):
        assert api.get(f"/manage/products/?q={quote(query)}", token=token).json()["items"] == []


def test_a_search_of_the_staff_reads_indexes():
    """Of tables too small for them, once nothing else is allowed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
        plan = selectors.products_matching("", "96385074").explain()

    indexes = {
        "product_name_folded", "brand_name_folded", "product_brand", "product_slug_contains",
        "variant_sku_contains",
    }  # fmt: skip
    assert {each for each in {*indexes, "variant_gtin_once"} if each not in plan} == set()


@pytest.fixture
def found(api, token):
    """The names of the products that a text finds."""

    def ask(text):
        answer = api.get(f"/manage/products/?q={quote(text)}", token=token)
        assert answer.status_code == 200, text
        names = [each["name"] for each in answer.json()["items"]]
        assert len(names) == len({*names}), text
        return {*names}

    return ask


NAMES = {
    "Ёлка искусственная": ["елка", "ЁЛКА", "Елка искусственная"],
    "Елка живая": ["ёлка живая", "Ёлка Живая"],
    "Café crème": ["cafe creme", "CAFÉ", "cafe\u0301"],
    "Cafetiere a piston": ["cafetière à piston"],
    "Straßenschuh": ["strassenschuh", "STRAẞENSCHUH"],
}


def test_products_are_found_with_accents_and_without(found):
    for name in NAMES:
        make_product(name=name)

    asked = [(name, text) for name, texts in NAMES.items() for text in texts]

    assert [(name, text) for name, text in asked if name not in found(text)] == []
    assert found("елка") == {"Ёлка искусственная", "Елка живая"}
    assert found("елочка") == set()


def test_products_are_found_by_their_brand(found):
    lego, other = make_brand(name="Löwe Élan"), make_brand(name="Acme")
    make_product(name="Red kettle", brand=lego)
    make_product(name="Blue kettle", brand=lego)
    make_product(name="Green kettle", brand=other)
    make_product(name="Löwe of stone", brand=other)
    make_product(name="Lamp")

    assert found("elan") == {"Red kettle", "Blue kettle"}
    assert found("kettle löwe") == {"Red kettle", "Blue kettle"}
    assert found("LOWE") == {"Red kettle", "Blue kettle", "Löwe of stone"}
    assert found("red Élan") == {"Red kettle"}
    assert found("acme kettle") == {"Green kettle"}
    assert found("acme lamp") == found("elan lamp") == set()


def test_the_page_of_products_finds_as_much(found, client):
    kettle = make_product(name="Théière", slug="pot-1", brand=make_brand(name="Löwe"))
    make_variant(product=kettle, sku="KET-1", gtin="96385074")
    make_variant(product=kettle, sku="KET-2", options={"color": "blue"})
    make_product(name="Lamp")
    client.force_login(make_staff(email="page@example.com"))
    page = reverse("admin:catalog_product_changelist")

    for text in ("theiere", "lowe", "pot-1", "ket-", "96385074", "ket-3", "%", "x" * 500):
        listed = [each.name for each in client.get(page, {"q": text}).context["cl"].queryset]
        assert listed == [*found(text[:200])], text
    assert client.get(page, {"q": "\0"}).status_code == 200


def test_slug_and_sku_stay_as_they_are(found):
    make_variant(product=make_product(name="Lamp", slug="uber"), sku="MÜLLER-1")

    assert found("müller-1") == found("uber") == {"Lamp"}
    assert found("muller-1") == found("über") == set()


def test_signs_find_no_product_and_break_nothing(found, api, token):
    make_product(name="Red kettle", brand=make_brand(name="Acme"))

    for text in ("%", "_", "\\", "\\%", "(", "+", "- -", "🫖", "x" * 200, "% " * 100, "'"):
        assert found(text) == set(), text
    assert api.get("/manage/products/?q=%00", token=token).status_code == 422


def test_pages_of_what_belongs_to_products_find_names_with_accents_and_without(client):
    brand, category = make_brand(name="Löwe"), make_category(name="Ёлки")
    variant = make_variant(product=make_product(name="Théière", brand=brand, category=category))
    client.force_login(make_staff())

    for row, text in ((brand, "lowe"), (category, "елки"), (variant, "theiere")):
        page = reverse(f"admin:catalog_{row._meta.model_name}_changelist")
        assert list(client.get(page, {"q": text}).context["cl"].queryset) == [row], text


@pytest.mark.parametrize(
    ("app", "model", "field"), [("catalog", "product", "brand"), ("reviews", "review", "product")]
)
def test_a_field_that_completes_what_is_typed_takes_a_nul(client, app, model, field):
    make_product(name="Kettle", brand=make_brand(name="Löwe"))
    client.force_login(make_staff())
    asked = {"app_label": app, "model_name": model, "field_name": field}

    for term, count in (("\0", 1), ("low\0e", 1), ("lion\0", 0)):
        answer = client.get(reverse("admin:autocomplete"), asked | {"term": term})
        assert (answer.status_code, len(answer.json()["results"])) == (200, count)

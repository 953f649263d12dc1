"""Descriptions are cleaned on every way in, and come out clean; plain texts stay texts."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from lavka.catalog import services
from lavka.catalog.models import Brand, Category, Product
from lavka.kernel.models import OutboxEvent
from lavka.kernel.rich_text import clean_html, text_of
from lavka.reviews.models import Review
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import make_brand, make_category, make_product
from tests.catalog.managing import make_kettle
from tests.catalog.test_admin import form_of
from tests.imports.files import MUG, shopify_file
from tests.imports.test_products import imported
from tests.listing.factories import make_card, shown

HOSTILE = (
    "<p onclick='steal()'>Warm</p><script>steal()</script><img src=x onerror=steal()>"
    "<a href='JaVaScRiPt:steal()'>more</a><iframe src='//evil.example'></iframe>"
    "<svg/onload=steal()><style>p{}</style><form action='//evil.example'><input></form>"
    "<a href='data:text/html,x'>d</a><math><mtext><table><mglyph><style><img src onerror=steal()>"
)
BAD = ("steal", "onerror", "onload", "onclick", "javascript", "evil.example", "<form", "<style")


def is_clean(text: str) -> bool:
    return "Warm" in text and not any(bad in text.lower() for bad in BAD)


@pytest.mark.django_db
def test_the_api_serves_no_description_raw(api):
    token = token_of(make_staff())

    created = make_kettle(api, token, description=HOSTILE, status="published").json()
    changed = api.patch(
        f"/manage/products/{created['id']}/", {"description": HOSTILE + "!"}, token=token
    ).json()
    page = shown(api, f"/products/{created['slug']}/").json()

    assert is_clean(created["description"])
    assert is_clean(changed["description"])
    assert is_clean(page["description"])
    assert is_clean(page["seo"]["description"])
    assert "<" not in page["seo"]["description"]


@pytest.mark.django_db
@pytest.mark.parametrize("noun", ["brands", "categories"])
def test_shelves_are_described_alike(api, noun):
    token = token_of(make_staff())
    body = {"name": "Acme", "description": HOSTILE}

    created = api.post(f"/manage/{noun}/", body, token=token).json()
    shown_ = api.get(f"/{noun}/acme/").json()

    assert is_clean(created["description"])
    assert is_clean(shown_["description"])
    assert is_clean(shown_["seo"]["description"])
    assert "<" not in shown_["seo"]["description"]


@pytest.mark.django_db
def test_the_admin_and_the_import_clean_too(client, tmp_path):
    client.force_login(make_staff())
    product = make_product()
    path = f"/admin/catalog/product/{product.pk}/change/"

    client.post(path, form_of(client, path) | {"description": HOSTILE})
    imported(shopify_file(tmp_path / "shop.csv", MUG | {"Body (HTML)": HOSTILE}))

    product.refresh_from_db()
    assert is_clean(product.description)
    assert is_clean(Product.objects.get(slug="mug").description)


@pytest.mark.django_db
def test_no_way_of_writing_a_row_goes_round_it():
    product, brand, category = make_product(), make_brand(), make_category()

    made = [
        Brand.objects.bulk_create([Brand(slug="b", name="b", description=HOSTILE)])[0],
        services.create_category(name="c", description=HOSTILE),
    ]
    Product.objects.filter(pk=product.pk).update(description=HOSTILE)
    brand.description = HOSTILE
    Brand.objects.bulk_update([brand], ["description"])
    category.description = HOSTILE
    category.save(update_fields=["description"])

    assert [is_clean(each.description) for each in [*made, category]] == [True] * 3
    for model in (Product, Brand, Category):
        for description in model.objects.exclude(description="").values_list(
            "description", flat=True
        ):
            assert is_clean(description)


@pytest.mark.django_db
def test_what_is_stored_already_is_cleaned_and_listed_anew():
    dirty, clean = make_product(), make_product(description="<p>Warm</p>")
    brand = make_brand()
    with connection.cursor() as cursor:
        for table, pk in (("catalog_product", dirty.pk), ("catalog_brand", brand.pk)):
            cursor.execute(f"UPDATE {table} SET description = %s WHERE id = %s", [HOSTILE, pk])
    OutboxEvent.objects.all().delete()

    migration: Any = import_module("lavka.catalog.migrations.0008_clean_descriptions")
    migration.clean_descriptions(apps, None)

    for row in (dirty, brand):
        row.refresh_from_db()
        assert is_clean(row.description)
    told = OutboxEvent.objects.values_list("name", "payload")
    assert list(told) == [("catalog.product_changed", {"product_id": str(dirty.pk)})]
    assert clean.description == "<p>Warm</p>"


@pytest.mark.django_db
def test_plain_texts_are_served_as_texts(api):
    product = make_card(slug="pan", name="Pan <b>&")
    said = "<script>alert(1)</script> & <b>"
    token = token_of(make_customer(name=said))

    answer = api.post(
        "/products/pan/reviews/", {"rating": 5, "title": said, "text": said}, token=token
    )
    listed = api.get("/products/pan/reviews/")

    assert answer.status_code == 201
    assert Review.objects.get().text == said
    assert listed.json()["items"][0]["text"] == said
    assert listed["Content-Type"] == "application/json"
    assert listed["X-Content-Type-Options"] == "nosniff"
    assert shown(api, "/products/pan/").json()["name"] == product.name


@given(st.text(alphabet="<>&\"'/=ab scriptonld:;#x-!", max_size=60))
def test_what_is_clean_stays_as_it_is(text):
    once = clean_html(text)

    assert clean_html(once) == once
    assert "<script" not in once.lower()
    assert "<" not in text_of(once, 300)


@pytest.mark.parametrize("text", ["", "Cups & plates", "5 > 4", "&lt;b&gt;", "a\n\nb"])
def test_a_text_without_markup_stays_as_it_is(text):
    assert clean_html(text) == text

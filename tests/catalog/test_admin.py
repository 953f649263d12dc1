"""The staff's pages."""

from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lavka.catalog import services
from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Product,
    ProductImage,
    ProductType,
    SlugHistory,
    Variant,
)
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import make_staff
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_image,
    make_kettle_type,
    make_product,
    make_type,
    make_variant,
    picture,
    use_attribute,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def make_kettle() -> Product:
    kettle = make_product(
        product_type=make_kettle_type(), name="Kettle", slug="kettle", attributes={"volume": 1.7}
    )
    make_variant(product=kettle, sku="K-RED", options={"color": "red"}, price_amount=4900)
    make_variant(product=kettle, sku="K-BLUE", options={"color": "blue"}, position=1)
    return kettle


def form_of(staff: Client, path: str) -> dict:
    """What a browser would send back unchanged."""
    page = staff.get(path)
    assert page.status_code == 200
    fields = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False or bound.field.disabled:
                continue
            fields[bound.html_name] = "on" if value is True else value
    return {name: "" if value is None else value for name, value in fields.items()}


MODELS = {
    Product: "product",
    Attribute: "attribute",
    ProductType: "producttype",
    Category: "category",
    Brand: "brand",
    SlugHistory: "slughistory",
}


@pytest.mark.parametrize("model", MODELS, ids=MODELS.values())
def test_every_page_opens(staff, model):
    kettle = make_kettle()
    make_image(product=kettle)
    make_category(parent=make_category())
    brand = make_brand(slug="old")
    Brand.objects.filter(pk=brand.pk).update(slug="new")
    row = model.objects.first()
    path = f"/admin/catalog/{MODELS[model]}/"

    assert staff.get(path).status_code == 200
    assert staff.get(f"{path}?q=kettle").status_code == 200
    assert staff.get(f"{path}{row.pk}/change/").status_code == 200
    assert staff.get(f"{path}add/").status_code == (403 if model is SlugHistory else 200)


@pytest.mark.parametrize("name", ["product", "attribute", "producttype", "category", "brand"])
def test_a_longer_list_takes_no_more_queries(staff, name):
    def fill():
        make_product(
            product_type=make_type(),
            brand=make_brand(),
            category=make_category(parent=make_category()),
        )
        use_attribute(make_type(), make_attribute("a"))

    fill()
    path = f"/admin/catalog/{name}/"
    staff.get(path)
    with CaptureQueriesContext(connection) as one:
        staff.get(path)
    fill()
    fill()
    with CaptureQueriesContext(connection) as three:
        staff.get(path)

    assert len(three) == len(one)


def test_a_new_product_is_made_in_two_steps(staff):
    kettle = make_kettle_type()

    added = staff.post(
        "/admin/catalog/product/add/",
        {"name": "Чайник", "product_type": kettle.pk, "slug": "", "description": ""},
    )

    product = Product.objects.get()
    assert added.status_code == 302
    assert added["Location"] == f"/admin/catalog/product/{product.pk}/change/"
    assert product.slug == "chaynik"
    assert product.status == "draft"


def test_staff_change_a_product_its_attributes_and_its_variants(staff):
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"
    red, blue = kettle.variants.all()
    OutboxEvent.objects.all().delete()
    form = form_of(staff, path)
    assert form["variants-0-price_amount"] == "49.00"

    answer = staff.post(
        path,
        form
        | {
            "name": "Better kettle",
            "slug": "",
            "attribute_volume": "2.0",
            "attribute_materials": ["glass"],
            "variants-0-price_amount": "12.99",
            "variants-0-compare_at_amount": "20",
            "variants-0-option_color": "blue",
            "variants-1-option_color": "red",
        },
    )

    assert answer.status_code == 302, answer.context["errors"]
    kettle.refresh_from_db()
    red.refresh_from_db()
    blue.refresh_from_db()
    assert (kettle.name, kettle.slug) == ("Better kettle", "kettle")
    assert kettle.attributes == {"volume": 2, "materials": ["glass"]}
    assert (red.price_amount, red.compare_at_amount) == (1299, 2000)
    assert (red.options, blue.options) == ({"color": "blue"}, {"color": "red"})
    assert OutboxEvent.objects.filter(aggregate=kettle.pk).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attribute_volume": "much"}, "attribute_volume"),
        ({"attribute_volume": ""}, "attribute_volume"),
        ({"slug": "taken"}, "slug"),
        ({"variants-0-price_amount": "12.999"}, "price_amount"),
        ({"variants-0-price_amount": "-1"}, "price_amount"),
        ({"variants-0-compare_at_amount": "1"}, "compare_at_amount"),
        ({"variants-0-option_color": "blue"}, "options"),
        ({"variants-0-sku": "K-BLUE"}, "sku"),
        ({"variants-0-gtin": "123"}, "gtin"),
    ],
)
def test_a_wrong_form_is_shown_again_and_nothing_is_saved(staff, change, field):
    make_product(slug="taken")
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"
    before = list(kettle.variants.values())

    answer = staff.post(path, form_of(staff, path) | {"name": "Changed"} | change)

    assert answer.status_code == 200
    assert answer.context["errors"], field
    kettle.refresh_from_db()
    assert kettle.name == "Kettle"
    assert list(kettle.variants.values()) == before


def test_staff_add_and_delete_variants(staff):
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"
    new = {
        "variants-TOTAL_FORMS": "3",
        "variants-0-DELETE": "on",
        "variants-2-sku": "K-NEW",
        "variants-2-option_color": "red",
        "variants-2-price_amount": "10",
        "variants-2-track_inventory": "on",
        "variants-2-cost_amount": "4.50",
        "variants-2-position": "2",
        "variants-2-product": str(kettle.pk),
    }

    answer = staff.post(path, form_of(staff, path) | new)

    assert answer.status_code == 302
    blue, new = Variant.objects.order_by("sku")
    assert (blue.sku, new.sku, new.cost_amount) == ("K-BLUE", "K-NEW", 450)
    assert (new.track_inventory, new.is_in_stock) == (True, False)


def test_a_sku_of_another_product_is_told_and_nothing_is_saved(staff):
    make_variant(sku="OTHERS")
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"

    answer = staff.post(path, form_of(staff, path) | {"variants-0-sku": "OTHERS", "name": "New"})

    assert answer.status_code == 200
    kettle.refresh_from_db()
    assert kettle.name == "Kettle"


def test_staff_add_a_picture_and_take_it_back(staff):
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"
    upload = BytesIO(picture())
    upload.name = "kettle.jpg"
    new = {"images-TOTAL_FORMS": "1", "images-0-file": upload, "images-0-alt": "A kettle",
           "images-0-position": "0", "images-0-product": str(kettle.pk)}  # fmt: skip

    added = staff.post(path, form_of(staff, path) | new)
    image = ProductImage.objects.get()
    kept = staff.post(path, form_of(staff, path) | {"images-0-alt": "Still a kettle"})
    image.refresh_from_db()
    deleted = staff.post(path, form_of(staff, path) | {"images-0-DELETE": "on"})

    assert [added.status_code, kept.status_code, deleted.status_code] == [302, 302, 302]
    assert (image.alt, image.width, image.height) == ("Still a kettle", 600, 400)
    assert not ProductImage.objects.exists()


def test_staff_choose_which_pictures_show_a_variant(staff):
    kettle = make_kettle()
    first, second = (make_image(product=kettle) for _ in range(2))
    red, blue = kettle.variants.all()
    services.change_variant(variant_id=blue.pk, image_ids=[second.pk, first.pk])
    path = f"/admin/catalog/product/{kettle.pk}/change/"

    form = form_of(staff, path)
    chosen = staff.post(path, form | {"variants-0-image_ids": [str(second.pk)], "name": "New"})

    assert chosen.status_code == 302
    links = {
        variant: list(variant.image_links.values_list("image", flat=True))
        for variant in (red, blue)
    }
    assert links == {red: [second.pk], blue: [second.pk, first.pk]}


def test_what_is_no_picture_is_refused(staff):
    kettle = make_kettle()
    path = f"/admin/catalog/product/{kettle.pk}/change/"
    upload = BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    upload.name = "kettle.svg"
    new = {"images-TOTAL_FORMS": "1", "images-0-file": upload, "images-0-position": "0"}

    answer = staff.post(path, form_of(staff, path) | new)

    assert answer.status_code == 200
    assert not ProductImage.objects.exists()


def test_staff_publish_what_is_ready(staff):
    ready = make_kettle()
    unready = make_product(product_type=ready.product_type, status="draft")
    Product.objects.update(status="draft")

    answer = staff.post(
        "/admin/catalog/product/",
        {"action": "publish", "_selected_action": [ready.pk, unready.pk]},
        follow=True,
    )

    assert answer.status_code == 200
    assert list(Product.objects.filter(status="published")) == [ready]
    assert "#/attributes/volume" in answer.content.decode()


def test_a_category_cannot_be_moved_into_itself(staff):
    top = make_category(slug="top")
    inner = make_category(parent=top)
    path = f"/admin/catalog/category/{top.pk}/change/"

    answer = staff.post(path, form_of(staff, path) | {"parent": str(inner.pk)})

    assert answer.status_code == 200
    top.refresh_from_db()
    assert top.parent is None


def test_a_category_is_moved_and_its_old_slug_leads_on(staff, api):
    top, other = make_category(slug="top"), make_category(slug="other")
    path = f"/admin/catalog/category/{top.pk}/change/"

    answer = staff.post(path, form_of(staff, path) | {"parent": str(other.pk), "slug": "new"})

    top.refresh_from_db()
    assert answer.status_code == 302
    assert top.parent == other
    assert api.get("/categories/top/")["Location"] == "/api/v1/categories/new/"


def test_a_choice_that_products_have_is_not_deleted(staff):
    make_kettle()
    color = Attribute.objects.get(code="color")
    path = f"/admin/catalog/attribute/{color.pk}/change/"

    refused = staff.post(path, form_of(staff, path) | {"choices-0-DELETE": "on"})
    added = staff.post(
        path,
        form_of(staff, path)
        | {
            "choices-TOTAL_FORMS": "3",
            "choices-2-code": "green",
            "choices-2-label": "Green",
            "choices-2-position": "2",
            "choices-2-attribute": str(color.pk),
        },
    )

    assert refused.status_code == 200
    assert added.status_code == 302
    assert [choice.code for choice in color.choices.all()] == ["red", "blue", "green"]


def test_an_attribute_that_products_have_stays_in_their_type(staff):
    kettle = make_kettle()
    path = f"/admin/catalog/producttype/{kettle.product_type.pk}/change/"
    form = form_of(staff, path)
    form.pop("type_attributes-0-is_option")

    deletion = staff.post(path, form_of(staff, path) | {"type_attributes-1-DELETE": "on"})
    no_option = staff.post(path, form)

    assert [deletion.status_code, no_option.status_code] == [200, 200]
    assert kettle.product_type.type_attributes.count() == 3
    assert kettle.product_type.type_attributes.filter(is_option=True).count() == 1


def test_a_brand_that_products_have_is_not_deleted(staff):
    brand = make_brand()
    make_product(brand=brand)

    staff.post(f"/admin/catalog/brand/{brand.pk}/delete/", {"post": "yes"})

    assert Brand.objects.exists()

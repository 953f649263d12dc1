"""What lines show of a variant, from the wishlist to the order, and that an order keeps it."""

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lavka.catalog import services as catalog
from lavka.catalog.events import ImageRemoved
from lavka.catalog.models import Choice, Product, Variant
from lavka.catalog.tasks import make_thumbnails, remove_files
from lavka.invoices.services import issue_invoices
from lavka.invoices.typesetting import pdf_of
from lavka.kernel.models import OutboxEvent
from lavka.orders.models import Order
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import (
    make_attribute,
    make_image,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.checkout.factories import Buyer, make_ready_cart
from tests.inventory.factories import make_stock
from tests.invoices.test_printing import text_of

pytestmark = pytest.mark.django_db

SELECTED = [
    {"code": "size", "name": "Size", "value": "xl", "label": "Xl"},
    {"code": "color", "name": "Цвет", "value": "red", "label": "Красный"},
]


def make_shirt(**overrides: object) -> Variant:
    """A red shirt of size XL; the size is the first of its type's options."""
    shirts = make_type(name="Shirt")
    use_attribute(shirts, make_attribute("s", "xl", code="size", name="Size"), is_option=True)
    color = make_attribute("red", "blue", code="color", name="Цвет")
    Choice.objects.filter(attribute=color, code="red").update(label="Красный")
    use_attribute(shirts, color, is_option=True)
    product = make_product(name="Linen shirt", product_type=shirts)
    variant = make_variant(product=product, options={"color": "red", "size": "xl"}, **overrides)
    return make_stock(10, variant)


def make_picture(product: Product, alt: str = "A red shirt") -> dict[str, object]:
    """A picture with thumbnails, as lines show it."""
    image = make_image(product=product, alt=alt)
    make_thumbnails(image_id=str(image.pk))
    image.refresh_from_db()
    return {
        "url": f"/media/{image.file.name}",
        "alt": alt,
        "width": 600,
        "height": 400,
        "thumbnails": {width: f"/media/{name}" for width, name in image.thumbnails.items()},
    }


def shown(line: dict[str, object]) -> tuple[object, ...]:
    return line["options"], line["selected_options"], line["image"]


def deleted_files() -> list[str]:
    """Have the files of deleted pictures removed, as a worker would; returns their names."""
    events = OutboxEvent.objects.filter(name=ImageRemoved.name)
    names = [name for event in events for name in event.payload["files"]]
    for event in events:
        remove_files(**event.payload)
    return names


def test_the_admin_shows_options_with_labels_and_a_picture_of_a_carts_lines(client: Client):
    shirt = make_shirt()
    picture = make_picture(shirt.product)
    customer = make_customer()
    one = make_ready_cart(shirt, owner=customer)
    gone = make_stock(5)
    three = make_ready_cart(shirt, make_stock(5), gone, owner=customer)
    Product.objects.filter(pk=gone.product_id).update(status="archived", name="Renamed")
    client.force_login(make_staff())
    client.get(reverse("admin:carts_cart_change", args=[one.pk]))  # what is looked up once is there

    with CaptureQueriesContext(connection) as of_one:
        client.get(reverse("admin:carts_cart_change", args=[one.pk]))
    with CaptureQueriesContext(connection) as of_three:
        page = client.get(reverse("admin:carts_cart_change", args=[three.pk])).content.decode()

    assert "Linen shirt (Size: Xl, Цвет: Красный)" in page
    assert f'<img src="{picture["thumbnails"]["160"]}" alt="A red shirt"' in page
    assert gone.sku in page
    assert len(of_one) == len(of_three)


def test_wish_cart_quote_and_order_show_options_with_labels_and_a_picture(api):
    variant, ada = make_shirt(), make_customer()
    picture, token = make_picture(variant.product), token_of(ada)
    wishlist = api.post("/wishlists/", {"name": "Summer"}, token=token).json()
    buyer = Buyer(api, make_ready_cart(variant, owner=ada), token)

    wished = api.put(f"/wishlists/{wishlist['id']}/items/{variant.pk}/", token=token).json()
    cart = api.get(f"/carts/{buyer.cart.pk}/", token=token).json()
    quote = buyer.quote().json()
    order = buyer.check_out(quote["id"]).json()["order"]
    managed = api.get(
        f"/manage/orders/{order['id']}/", token=token_of(make_staff("orders.view_order"))
    )

    expected = ({"size": "xl", "color": "red"}, SELECTED, picture)
    assert len(picture["thumbnails"]) > 0
    for lines in (
        wished["items"], cart["lines"], quote["lines"], order["lines"], managed.json()["lines"],
    ):  # fmt: skip
        assert [shown(line) for line in lines] == [expected]


def test_a_line_shows_the_picture_of_its_variant(api):
    variant = make_shirt()
    make_picture(variant.product, "All colors")
    own = make_picture(variant.product, "The red one")
    image = variant.product.images.get(alt="The red one")
    catalog.change_variant(variant_id=variant.pk, image_ids=[image.pk])

    order = Buyer(api, make_ready_cart(variant)).check_out().json()["order"]

    assert [line["image"] for line in order["lines"]] == [own]


def test_a_variant_without_options_or_picture_says_so(api):
    buyer = Buyer(api, make_ready_cart(make_stock(10)))

    order = buyer.check_out().json()["order"]

    assert [shown(line) for line in order["lines"]] == [({}, [], None)]


def test_a_choice_that_lost_its_label_is_shown_by_its_code(api):
    variant = make_shirt()
    Choice.objects.filter(code="red").delete()

    [line] = api.get(f"/carts/{make_ready_cart(variant).pk}/").json()["lines"]

    assert line["selected_options"] == [
        SELECTED[0],
        {"code": "color", "name": "Цвет", "value": "red", "label": "red"},
    ]


def test_an_order_keeps_what_its_lines_showed(api):
    variant = make_shirt()
    picture = make_picture(variant.product)
    placed = Buyer(api, make_ready_cart(variant)).check_out().json()["order"]

    Choice.objects.filter(code="red").update(label="Crimson")
    variant.product.name = "Another shirt"
    variant.product.save()
    catalog.delete_image(image_id=variant.product.images.get().pk)
    make_picture(variant.product, "Another picture")
    later = api.get(f"/orders/{placed['id']}/?key={placed['key']}").json()
    catalog.set_status(product_ids=[variant.product_id], status=Product.Status.ARCHIVED)
    last = api.get(f"/orders/{placed['id']}/?key={placed['key']}").json()

    for order in (later, last):
        assert [line["name"] for line in order["lines"]] == ["Linen shirt"]
        assert [shown(line)[1:] for line in order["lines"]] == [(SELECTED, picture)]


def test_files_of_a_deleted_picture_stay_while_an_order_shows_it(api):
    sold, unsold = make_shirt(), make_variant()
    shown_names = [
        address.removeprefix("/media/")
        for picture in [make_picture(sold.product)]
        for address in [picture["url"], *picture["thumbnails"].values()]
    ]
    make_picture(unsold.product)
    Buyer(api, make_ready_cart(sold)).check_out()

    for product in (sold.product, unsold.product):
        catalog.delete_image(image_id=product.images.get().pk)
    names = deleted_files()

    assert set(shown_names) < set(names)
    assert {name for name in names if default_storage.exists(name)} == set(shown_names)


def test_an_order_looks_as_its_quote_did(api):
    variant = make_shirt()
    image = make_image(product=variant.product)
    buyer = Buyer(api, make_ready_cart(variant))
    quote = buyer.quote().json()

    Choice.objects.filter(code="red").update(label="Crimson")
    make_thumbnails(image_id=str(image.pk))
    bought = buyer.check_out(quote["id"])

    assert bought.status_code == 201
    assert shown(bought.json()["order"]["lines"][0]) == shown(quote["lines"][0])
    assert shown(quote["lines"][0])[1] == SELECTED


def test_a_quote_does_not_hold_for_a_variant_that_became_another(api):
    variant = make_shirt()
    buyer = Buyer(api, make_ready_cart(variant))
    quote_id = buyer.quote().json()["id"]

    catalog.change_variant(variant_id=variant.pk, options={"color": "blue", "size": "xl"})
    refused = buyer.check_out(quote_id)

    assert (refused.status_code, refused.json()["code"]) == (409, "quote_changed")


def test_an_added_line_shows_the_same_as_one_from_a_cart(api):
    variant, staff = make_shirt(), token_of(make_staff("orders.change_order"))
    picture = make_picture(variant.product)
    order_id = Buyer(api, make_ready_cart(make_stock(5))).check_out().json()["order"]["id"]
    wish = {"add": [{"variant_id": str(variant.pk), "quantity": 1}]}

    preview = api.post(f"/manage/orders/{order_id}/edit/preview/", wish, token=staff).json()
    api.post(
        f"/manage/orders/{order_id}/edit/",
        wish | {"expected_total": preview["after"]["total"]["amount"]},
        token=staff,
        Idempotency_Key="edit",
    )

    added = Order.objects.get(pk=order_id).lines.get(variant_id=variant.pk)
    assert added.selected_options == SELECTED
    assert f"/media/{added.image['file']}" == picture["url"]


def test_the_invoice_names_options_by_their_labels(api):
    order = Buyer(api, make_ready_cart(make_shirt())).check_out().json()["order"]

    [invoice] = issue_invoices(order_id=order["id"], at=timezone.now())
    text = text_of(pdf_of(invoice))

    assert "Linen shirt (Size: Xl, Цвет: Красный)" in " ".join(text.split())

"""Carts over HTTP."""

import uuid

import pytest

from lavka.carts.models import Cart
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.carts.factories import ADDRESS, in_cart, make_cart, put_in
from tests.catalog.factories import make_product, make_variant
from tests.client import Api
from tests.inventory.factories import make_stock
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

pytestmark = pytest.mark.django_db


def money(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "USD"}


def test_a_guest_fills_a_cart_up_to_its_total(api):
    make_tax_rate("GB", "20")
    rate = make_shipping_rate("GB", price_amount=500)
    variant = make_variant(product=make_product(name="Kettle", slug="kettle"), sku="KETTLE")

    cart_id = api.post("/carts/", {}).json()["id"]
    added = api.post(f"/carts/{cart_id}/lines/", {"variant_id": variant.pk, "quantity": 2})
    api.put(f"/carts/{cart_id}/addresses/", {"email": "Ada@Example.com", "shipping": ADDRESS})
    offered = api.get(f"/carts/{cart_id}/shipping-options/").json()
    chosen = api.put(f"/carts/{cart_id}/shipping-option/", {"id": str(rate.pk)})

    assert added.status_code == 201
    assert uuid.UUID(cart_id).version == 4
    way = {
        "id": str(rate.pk),
        "name": "Parcel",
        "price": money(500),
        "delivery": "2–4 days",
    }
    assert offered == {"items": [way]}
    cart = chosen.json()
    [line] = cart.pop("lines")
    assert cart.pop("expires_at").endswith("Z")
    assert cart == {
        "id": cart_id,
        "status": "open",
        "currency": "USD",
        "email": "ada@example.com",
        "addresses": {"shipping": ADDRESS, "billing": None},
        "vat_number": "",
        "shipping_option": way,
        "totals": {
            "subtotal": money(2598),
            "discount": money(0),
            "shipping": money(500),
            "tax": money(620),
            "total": money(3718),
            "is_tax_included": False,
        },
        "messages": [],
    }
    assert line == {
        "id": line["id"],
        "variant_id": str(variant.pk),
        "product": {"slug": "kettle", "name": "Kettle"},
        "sku": "KETTLE",
        "options": {},
        "selected_options": [],
        "image": None,
        "quantity": 2,
        "requested_quantity": 2,
        "unit_price": money(1299),
        "discount": money(0),
        "tax": money(520),
        "total": money(2598),
        "messages": [],
    }


def test_a_line_is_changed_and_taken_out(api):
    cart = make_cart()
    path = f"/carts/{cart.pk}/lines/{put_in(cart).pk}/"

    changed = api.patch(path, {"quantity": 3})
    removed = api.delete(path)
    again = api.delete(path)

    assert (changed.status_code, changed.json()["totals"]["subtotal"]) == (200, money(3897))
    assert (removed.status_code, removed.json()["lines"]) == (200, [])
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"quantity": 0}, "#/quantity", "min_value"),
        ({"quantity": 1000}, "#/quantity", "max_value"),
        ({"quantity": "1"}, "#/quantity", "invalid"),
        ({"quantity": True}, "#/quantity", "invalid"),
        ({"variant_id": "x"}, "#/variant_id", "invalid"),
        ({"variant_id": 7}, "#/variant_id", "invalid"),
        ({"variant_id": str(uuid.UUID(int=7))}, "#/variant_id", "does_not_exist"),
        ({"price": 1}, "#/price", "unknown"),
    ],
)
def test_a_bad_line_is_refused_by_its_field_and_not_saved(api, body, pointer, code):
    cart = make_cart()
    good = {"variant_id": make_variant().pk, "quantity": 1}

    answer = api.post(f"/carts/{cart.pk}/lines/", good | body)

    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert in_cart(cart.pk) == {}


def test_too_much_is_a_conflict_that_says_what_there_is(api):
    cart, variant = make_cart(), make_stock(1)

    answer = api.post(f"/carts/{cart.pk}/lines/", {"variant_id": variant.pk, "quantity": 2})

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert answer.json()["details"] == {
        "variants": [{"variant_id": str(variant.pk), "requested": 2, "available": 1}]
    }


def test_without_an_address_there_are_no_ways_to_ship(api):
    path = f"/carts/{make_cart().pk}/shipping-option"

    answers = [api.get(f"{path}s/"), api.put(f"{path}/", {"id": "x"})]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "address_missing")] * 2


def test_a_way_that_is_not_offered_is_not_chosen(api):
    cart = make_cart(shipping_address=ADDRESS)

    answer = api.put(f"/carts/{cart.pk}/shipping-option/", {"id": "x"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/id"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "nobody"}, "#/email"),
        ({"shipping": ADDRESS | {"country": "XX"}}, "#/shipping/country"),
        ({"shipping": None}, "#/shipping"),
        ({"billing": {"name": "Ada"}}, "#/billing/line1"),
        ({"shipping": ADDRESS | {"is_default_shipping": True}}, "#/shipping/is_default_shipping"),
    ],
)
def test_a_bad_address_is_refused_by_its_field_and_not_saved(api, change, pointer):
    cart = make_cart()
    good = {"email": "a@b.example", "shipping": ADDRESS}

    answer = api.put(f"/carts/{cart.pk}/addresses/", good | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    cart.refresh_from_db()
    assert (cart.email, cart.shipping_address) == ("", None)


def test_a_customers_cart_is_404_for_others_by_every_path(api):
    owner = make_customer()
    cart = make_cart(owner, shipping_address=ADDRESS)
    line = put_in(cart)
    base = f"/carts/{cart.pk}/"
    calls = [
        ("GET", base, None),
        ("DELETE", base, None),
        ("POST", f"{base}lines/", {"variant_id": line.variant_id, "quantity": 1}),
        ("PATCH", f"{base}lines/{line.pk}/", {"quantity": 2}),
        ("DELETE", f"{base}lines/{line.pk}/", None),
        ("PUT", f"{base}addresses/", {"email": "a@b.example", "shipping": ADDRESS}),
        ("GET", f"{base}shipping-options/", None),
        ("PUT", f"{base}shipping-option/", {"id": "x"}),
    ]

    tokens = ["", token_of(make_customer()), token_of(make_staff())]
    answers = [
        api.request(method, path, body, token=token).status_code
        for method, path, body in calls
        for token in tokens
    ]
    merged = [api.post(f"{base}merge/", {}, token=token).status_code for token in tokens[1:]]

    assert set(answers) | set(merged) == {404}
    assert api.get(base, token=token_of(owner)).json()["lines"][0]["quantity"] == 1


def test_a_line_of_another_cart_is_404(api):
    line, cart = put_in(make_cart()), make_cart()

    answer = api.delete(f"/carts/{cart.pk}/lines/{line.pk}/")

    assert answer.status_code == 404
    assert in_cart(line.cart_id) == {line.variant_id: 1}


def test_a_customer_finds_the_cart_they_changed_last(api):
    customer = make_customer()
    token = token_of(customer)
    none = api.get("/me/cart/", token=token)
    first, second = make_cart(customer), make_cart(customer)
    put_in(second)
    put_in(first)

    assert none.status_code == 404
    assert api.get("/me/cart/", token=token).json()["id"] == str(first.pk)
    assert api.get("/me/cart/").status_code == 401


def test_signing_in_brings_the_guests_cart_along(api):
    customer, guest = make_customer(), make_cart()
    own, variant = make_cart(customer), make_variant()
    put_in(guest, 2, variant)

    answer = api.post(f"/carts/{guest.pk}/merge/", {}, token=token_of(customer))

    assert (answer.status_code, answer.json()["id"]) == (200, str(own.pk))
    assert in_cart(own.pk) == {variant.pk: 2}
    assert api.post(f"/carts/{guest.pk}/merge/", {}).status_code == 401


def test_a_cart_of_a_closed_account_does_not_begin(api):
    answer = api.post("/carts/", {}, token=token_of(make_customer(is_active=False)))

    assert answer.status_code == 401
    assert not Cart.objects.exists()


def test_an_unknown_cart_is_404_and_a_deleted_one_too(api):
    cart = make_cart()

    deleted = api.delete(f"/carts/{cart.pk}/")

    assert deleted.status_code == 204
    assert api.get(f"/carts/{cart.pk}/").status_code == 404
    assert api.get(f"/carts/{uuid.uuid4()}/").status_code == 404


def test_an_ordered_cart_is_read_and_not_changed(api):
    cart = make_cart(status="ordered")

    read = api.get(f"/carts/{cart.pk}/")
    written = api.put(f"/carts/{cart.pk}/addresses/", {"email": "a@b.example", "shipping": ADDRESS})

    assert (read.status_code, read.json()["status"]) == (200, "ordered")
    assert (written.status_code, written.json()["code"]) == (409, "cart_closed")


def test_messages_speak_russian(api):
    cart, variant = make_cart(), make_stock(1)
    put_in(cart, 1, variant)
    variant.stock_levels.update(on_hand=0)

    [line] = api.get(f"/carts/{cart.pk}/", accept_language="ru").json()["lines"]

    assert line["messages"] == [
        {
            "code": "out_of_stock",
            "detail": "«Thing» нет в наличии.",
            "requested": 1,
            "available": 0,
        }
    ]


@pytest.mark.usefixtures("db")
def test_staff_look_at_carts_in_the_admin(client):
    client.force_login(make_staff())
    cart = make_cart(make_customer())
    put_in(cart)

    pages = [client.get("/admin/carts/cart/"), client.get(f"/admin/carts/cart/{cart.pk}/change/")]

    assert [page.status_code for page in pages] == [200, 200]


@pytest.mark.parametrize(
    ("written", "read"),
    [("gb 123.456-789", "GB123456789"), ("FRXX999999999", "FRXX999999999"), ("", "")],
)
def test_a_business_says_its_vat_number(api: Api, written: str, read: str):
    cart = make_cart()
    body = {"email": "ada@example.com", "shipping": ADDRESS, "vat_number": written}

    answer = api.put(f"/carts/{cart.pk}/addresses/", body)

    assert (answer.status_code, answer.json()["vat_number"]) == (200, read)


@pytest.mark.parametrize("number", ["123456789", "G1", "GB12345678901234567", "GB<b>1"])
def test_what_is_no_vat_number_is_refused(api: Api, number: str):
    cart = make_cart()
    body = {"email": "ada@example.com", "shipping": ADDRESS, "vat_number": number}

    answer = api.put(f"/carts/{cart.pk}/addresses/", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/vat_number")
    cart.refresh_from_db()
    assert (cart.vat_number, cart.email) == ("", "")

"""Countries for forms, and the same rules wherever an address comes in."""

from typing import Any

import pytest
from django.test import Client

from lavka.accounts.models import Address
from lavka.addresses.countries import CODES
from lavka.addresses.rules import rules_of
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from tests.accounts.factories import make_address, make_customer, make_staff, token_of
from tests.addresses.factories import address_in
from tests.carts.factories import make_cart, put_in
from tests.catalog.factories import make_variant
from tests.client import Api
from tests.orders.factories import make_order
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

pytestmark = pytest.mark.django_db

RUSSIAN = {"accept_language": "ru"}


class CarrierRates:
    """Asks a carrier, who knows only each purchase's answer."""

    def options(self, **_: Any) -> list[Any]:
        return []


def listed(api: Api, **headers: str) -> dict[str, dict[str, Any]]:
    answer = api.get("/countries/", **headers)
    assert answer.status_code == 200
    return {item["code"]: item for item in answer.json()["items"]}


def refusals(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


def test_countries_are_named_in_the_readers_language_in_its_order(api: Api):
    english, russian = listed(api), listed(api, **RUSSIAN)

    assert english.keys() == russian.keys() == set(CODES)
    assert (english["DE"]["name"], russian["DE"]["name"]) == ("Germany", "Германия")
    assert list(english)[:2] == ["AF", "AX"]
    assert list(russian)[:2] == ["AU", "AT"]


def test_a_country_says_whether_the_shop_ships_there(api: Api, django_assert_num_queries):
    assert {item["ships_to"] for item in listed(api).values()} == {False}

    make_shipping_rate("DE")
    make_shipping_rate("DE", name="Express")
    with django_assert_num_queries(1):
        served = {code for code, item in listed(api).items() if item["ships_to"]}
    assert served == {"DE"}

    make_shipping_rate("")
    assert {item["ships_to"] for item in listed(api).values()} == {True}


def test_it_is_not_known_where_a_carrier_decides(api: Api, settings):
    settings.LAVKA = settings.LAVKA | {"SHIPPING_RATES": "tests.addresses.test_api.CarrierRates"}

    assert {item["ships_to"] for item in listed(api).values()} == {None}


@pytest.mark.parametrize("path", ["/countries/", "/countries/JP/"])
def test_what_forms_read_is_public_and_asked_for_again_with_its_tag(api: Api, path: str):
    first = api.get(path)
    again = api.get(path, if_none_match=first["ETag"])
    russian = api.get(path, if_none_match=first["ETag"], **RUSSIAN)

    assert first["Cache-Control"].startswith("public, max-age=")
    assert "Accept-Language" in first["Vary"]
    assert (again.status_code, again.content) == (304, b"")
    assert russian.status_code == 200
    assert russian["Content-Language"] == "ru"


def test_a_form_learns_fields_in_order_by_their_names_there(api: Api):
    usa = api.get("/countries/us/").json()

    fields = [[field["name"] for field in line] for line in usa["lines"]]
    assert fields == [
        ["name"], ["line1"], ["line2"], ["city", "region", "postal_code"], ["country"], ["phone"],
    ]  # fmt: skip
    region, code = usa["lines"][3][1:]
    assert region == {
        "name": "region", "label": "State", "required": True, "upper_case": True, "max_length": 100,
    }  # fmt: skip
    assert code["label"] == "ZIP code"
    assert usa["postal_code"]["examples"][0] == "95014"
    assert {"code": "CA", "name": "California", "iso_code": "US-CA"} in usa["areas"]
    assert (usa["code"], usa["areas_closed"]) == ("US", True)


@pytest.mark.parametrize(
    ("country", "label", "area"),
    [("JP", "Prefecture", "Tokyo"), ("IE", "County", "Co. Dublin"), ("AE", "Emirate", "Dubai"),
     ("RU", "Oblast", "Moskva"), ("CA", "Province", "Ontario"), ("IN", "State", "Goa")],
)  # fmt: skip
def test_areas_have_names_that_readers_of_english_know(api: Api, country, label, area):
    rules = api.get(f"/countries/{country}/").json()

    labels = [field["label"] for line in rules["lines"] for field in line]
    assert label in labels
    assert area in [each["name"] for each in rules["areas"]]


def test_a_form_in_russian(api: Api):
    rules = api.get("/countries/RU/", **RUSSIAN).json()

    labels = {field["name"]: field["label"] for line in rules["lines"] for field in line}
    assert (labels["region"], labels["postal_code"]) == ("Область", "Почтовый индекс")
    assert "Московская область" in [area["name"] for area in rules["areas"]]


def test_every_country_has_rules_that_forms_can_use(api: Api):
    for country in CODES:
        rules = api.get(f"/countries/{country}/").json()

        fields = {field["name"]: field for line in rules["lines"] for field in line}
        assert {"name", "line1", "line2", "country", "phone"} <= fields.keys()
        assert all(name in fields for name in rules_of(country).required)
        assert all(field["label"] for field in fields.values())
        assert rules["areas"] or not rules["areas_closed"]


@pytest.mark.parametrize("code", ["XX", "USA", "u", "%00", "é", "x" * 500])
def test_what_is_no_country_has_no_rules(api: Api, code: str):
    assert api.get(f"/countries/{code}/").status_code == 404


def test_a_cart_keeps_addresses_as_their_countries_spell_them(api: Api):
    cart = make_cart()
    body = {
        "email": "ada@example.com",
        "shipping": {
            "name": " Ada ", "line1": "1 Main Street", "city": "Los Angeles",
            "region": "california", "postal_code": " 90001 ", "country": "us",
        },
        "billing": address_in("GB", postal_code="sw1y4jh"),
    }  # fmt: skip

    answer = api.put(f"/carts/{cart.pk}/addresses/", body)

    shipping, billing = answer.json()["addresses"].values()
    assert shipping == {
        "name": "Ada", "line1": "1 Main Street", "line2": "", "city": "Los Angeles",
        "region": "CA", "postal_code": "90001", "country": "US", "phone": "",
    }  # fmt: skip
    assert billing["postal_code"] == "SW1Y 4JH"


def test_a_cart_refuses_what_the_countries_refuse_and_stays_as_it_was(api: Api):
    cart = make_cart()
    body = {
        "email": "ada@example.com",
        "shipping": address_in("DE", postal_code="1"),
        "billing": address_in("US", region="Nowhere", city=""),
    }

    answer = api.put(f"/carts/{cart.pk}/addresses/", body)

    assert refusals(answer) == [
        ("#/shipping/postal_code", "invalid_postal_code"),
        ("#/billing/city", "required"),
        ("#/billing/region", "invalid_region"),
    ]
    cart.refresh_from_db()
    assert (cart.email, cart.shipping_address) == ("", None)


def test_tax_and_shipping_find_the_country_however_it_is_written(api: Api):
    make_tax_rate("DE", "19")
    make_shipping_rate("DE", name="To Germany")
    make_shipping_rate("", name="Abroad")
    cart = make_cart()
    put_in(cart, variant=make_variant(price_amount=1000))

    shipping = address_in("DE") | {"country": " de "}
    priced = api.put(
        f"/carts/{cart.pk}/addresses/", {"email": "a@example.com", "shipping": shipping}
    )
    options = api.get(f"/carts/{cart.pk}/shipping-options/").json()["items"]

    assert priced.json()["totals"]["tax"]["amount"] == 190
    assert [option["name"] for option in options] == ["To Germany"]


@pytest.mark.parametrize("country", [" de ", "De"])
def test_staff_write_a_country_in_any_case(api: Api, country: str):
    token = token_of(make_staff())
    money = {"amount": 500, "currency": "USD"}

    tax = {"country": country, "percent": "19", "valid_from": "2021-01-01"}
    rate = {"country": country, "name": "Parcel", "price": money}
    api.post("/manage/tax-rates/", tax, token=token)
    api.post("/manage/shipping-rates/", rate, token=token)

    assert (TaxRate.objects.get().country, ShippingRate.objects.get().country) == ("DE", "DE")


def test_the_book_keeps_addresses_as_their_countries_spell_them(api: Api):
    token = token_of(make_customer())
    body = address_in("CA", region="québec", postal_code="h2y1c6") | {"country": "ca"}

    added = api.post("/me/addresses/", body, token=token).json()
    moved = api.patch(
        f"/me/addresses/{added['id']}/", {"region": "Ontario", "postal_code": "K1A0B1"}, token=token
    ).json()

    assert (added["region"], added["postal_code"], added["country"]) == ("QC", "H2Y 1C6", "CA")
    assert moved == added | {"region": "ON", "postal_code": "K1A 0B1"}


def test_a_change_is_checked_with_what_stays(api: Api):
    token = token_of(make_customer())
    added = api.post("/me/addresses/", address_in("GB"), token=token).json()

    refused = api.patch(f"/me/addresses/{added['id']}/", {"country": "US"}, token=token)

    assert refusals(refused) == [
        ("#/region", "required"),
        ("#/postal_code", "invalid_postal_code"),
    ]
    assert Address.objects.get().country == "GB"


def test_an_old_address_stays_readable_and_is_checked_when_it_changes(api: Api):
    user = make_customer()
    old = make_address(user, country="US", region="", postal_code="?")
    path, token = f"/me/addresses/{old.pk}/", token_of(user)

    made_default = api.patch(path, {"is_default_shipping": True}, token=token)
    moved = api.patch(path, {"line1": "2 Main Street"}, token=token)

    assert api.get(path, token=token).json()["postal_code"] == "?"
    assert made_default.status_code == 200
    assert refusals(moved) == [
        ("#/region", "required"),
        ("#/postal_code", "invalid_postal_code"),
    ]


def test_an_order_of_an_old_address_has_its_invoice_and_its_page(api: Api, client: Client):
    order = make_order(shipping_address={"name": "Ada", "city": "Nowhere", "country": "YU"})
    client.force_login(make_staff())

    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    invoice = api.get(f"/manage/orders/{order.pk}/invoice/", token=token_of(make_staff()))

    assert "Ada<br>Nowhere<br>YU" in page
    assert invoice.status_code == 200


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_staff_see_addresses_as_their_countries_write_them(staff: Client):
    address = address_in("US", city="Los Angeles", region="CA", postal_code="90001")
    order = make_order(shipping_address=address)
    cart = make_cart(make_customer(), shipping_address=address)
    own = Address.objects.create(user=make_customer(), **address)

    for path in (
        f"orders/order/{order.pk}", f"carts/cart/{cart.pk}", f"accounts/address/{own.pk}",
    ):  # fmt: skip
        page = staff.get(f"/admin/{path}/change/").content.decode()
        assert "LOS ANGELES, CA 90001<br>United States of America" in page


def test_what_staff_write_is_checked_as_everybodys(staff: Client):
    user = make_customer()
    path, fields = "/admin/accounts/address/add/", {"user": str(user.pk)}

    refused = staff.post(path, fields | address_in("US", region="Nowhere", postal_code="1"))
    saved = staff.post(path, fields | address_in("US", region="california", postal_code="90001"))

    page = refused.content.decode()
    assert refused.status_code == 200
    assert "One looks like 95014" in page
    assert "is not known in this country" in page
    assert saved.status_code == 302
    assert Address.objects.get().region == "CA"


def test_staff_may_leave_an_old_address_as_it_is(staff: Client):
    old = make_address(make_customer(), country="US", region="", postal_code="?")
    fields = {
        name: getattr(old, name)
        for name in ("name", "line1", "line2", "city", "region", "postal_code", "country", "phone")
    }

    saved = staff.post(
        f"/admin/accounts/address/{old.pk}/change/",
        fields | {"user": str(old.user_id), "is_default_billing": "on"},
    )

    assert saved.status_code == 302
    old.refresh_from_db()
    assert (old.is_default_billing, old.postal_code) == (True, "?")


def test_a_users_page_shows_the_book_and_changes_it_elsewhere(staff: Client):
    own = make_address(make_customer(), name="Ada Lovelace")

    page = staff.get(f"/admin/accounts/user/{own.user_id}/change/").content.decode()

    assert "Ada Lovelace" in page
    assert f"/admin/accounts/address/{own.pk}/change/" in page
    assert 'name="addresses-0-city"' not in page


def test_staff_choose_the_country_of_a_rate(staff: Client):
    tax = {"country": "DE", "percent": "19", "valid_from": "2021-01-01"}
    rate = {"country": "", "name": "Abroad", "delivery": "", "price_amount": "5", "position": "0"}

    wrong = staff.post("/admin/tax/taxrate/add/", tax | {"country": "de"})
    right = staff.post("/admin/tax/taxrate/add/", tax)
    abroad = staff.post("/admin/shipping/shippingrate/add/", rate)

    assert (wrong.status_code, right.status_code, abroad.status_code) == (200, 302, 302)
    assert TaxRate.objects.get().country == "DE"
    assert ShippingRate.objects.get().country == ""

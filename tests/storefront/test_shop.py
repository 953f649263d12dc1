"""What a shop front begins with is what the shop then does."""

from typing import Any

import pytest

from lavka.addresses.countries import CODES
from lavka.shipping.models import ShippingRate
from lavka.shipping.options import rates
from lavka.web.bodies import SMALL_BYTES
from tests.catalog.factories import make_variant
from tests.client import Api
from tests.shipping.factories import make_shipping_rate

pytestmark = pytest.mark.django_db


def shop_of(api: Api, **headers: str) -> dict[str, Any]:
    response = api.get("/shop/", **headers)
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_it_is_public_kept_and_one_query(api: Api, django_assert_num_queries: Any):
    with django_assert_num_queries(1):
        response = api.get("/shop/")

    assert response["Cache-Control"].startswith("public")
    assert api.get("/shop/", if_none_match=response["ETag"]).status_code == 304


def test_it_says_what_the_settings_say(api: Api, settings: Any):
    settings.LAVKA = settings.LAVKA | {
        "SHOP_NAME": "Barsik & Bim",
        "SHOP_URL": "https://shop.example/",
        "CURRENCY": "JPY",
        "PRICES_INCLUDE_TAX": True,
        "HOLD_SECONDS": 60,
    }
    make_shipping_rate("JP")

    shop = shop_of(api)

    assert (shop["name"], shop["url"]) == ("Barsik & Bim", "https://shop.example")
    assert shop["currencies"] == [{"code": "JPY", "digits": 0}]
    assert shop["countries"] == [{"code": "JP", "name": "Japan"}]
    assert shop["channels"] == [
        {
            "slug": "default",
            "name": "Barsik & Bim",
            "currency": "JPY",
            "default_language": "en",
            "languages": ["en", "ru"],
            "countries": ["JP"],
            "prices_include_tax": True,
        }
    ]
    assert shop["limits"]["quote_seconds"] == 60


def test_names_are_in_the_language_of_the_request(api: Api):
    make_shipping_rate("DE")

    shop = shop_of(api, accept_language="ru")

    assert shop["countries"] == [{"code": "DE", "name": "Германия"}]
    assert shop["languages"][1] == {"code": "ru", "name": "Русский"}
    assert "Счёт" in {each["name"] for each in shop["payment_methods"]}


def test_the_rest_of_the_world_is_every_country(api: Api):
    ShippingRate.objects.all().delete()
    nowhere = shop_of(api)
    make_shipping_rate("")
    everywhere = shop_of(api)

    assert nowhere["countries"] == []
    assert everywhere["channels"][0]["countries"] == list(CODES)


def test_a_carrier_may_send_anywhere(api: Api, settings: Any):
    settings.LAVKA = settings.LAVKA | {"SHIPPING_RATES": "tests.storefront.test_shop.Carrier"}

    assert len(shop_of(api)["countries"]) == len(CODES)
    assert isinstance(rates(), Carrier)


class Carrier:
    def options(self, **_: Any) -> list[Any]:
        return []


def method(shop: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = [each for each in shop["payment_methods"] if each["code"] == code]
    return dict(found)


def test_each_payment_method_says_how_it_is_used(api: Api, settings: Any):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    settings.LAVKA = settings.LAVKA | {
        "SHOP_URL": "https://shop.example/de",
        "PAYMENT_GATEWAYS": {
            "stripe": "lavka.payments.gateways.stripe.Stripe",
            "invoice": "lavka.payments.gateways.manual.Manual",
            "cash_at_the_door": "lavka.payments.gateways.manual.Manual",
        },
        "STRIPE": {
            "secret_key": "sk_live_secret",
            "webhook_secret": "whsec_secret",
            "publishable_key": "pk_live_public",
        },
    }

    response = api.get("/shop/")

    shop = response.json()
    assert [each["code"] for each in shop["payment_methods"]] == [
        "stripe", "invoice", "cash_at_the_door",
    ]  # fmt: skip
    assert method(shop, "stripe")["options"] == {
        "fields": [
            {"name": "token", "required": True, "choices": []},
            {
                "name": "return_url",
                "required": False,
                "choices": ["https://front.example", "https://shop.example"],
            },
        ],
        "actions": ["redirect", "stripe"],
        "publishable_key": "pk_live_public",
    }
    nothing = {"fields": [], "actions": [], "publishable_key": None}
    assert method(shop, "invoice")["options"] == nothing
    assert method(shop, "cash_at_the_door")["name"] == "Cash at the door"
    assert b"secret" not in response.content


def test_passwords_are_as_it_says(api: Api):
    rules = shop_of(api)["password_rules"]
    shortest, longest = rules["min_length"], rules["max_length"]
    sign = "q8Z!kV2#"

    def register(number: int, length: int) -> int:
        body = {"email": f"ada{number}@example.com", "password": (sign * 100)[:length]}
        return api.post("/auth/register/", body).status_code

    statuses = [register(n, n) for n in (shortest - 1, shortest, longest, longest + 1)]

    assert statuses == [422, 201, 201, 422]
    assert all(rules["texts"])


def test_limits_are_as_it_says(api: Api):
    limits = shop_of(api)["limits"]
    cart = api.post("/carts/", {}).json()["id"]
    variant = make_variant(track_inventory=False)

    def add(quantity: int) -> int:
        line = {"variant_id": str(variant.pk), "quantity": quantity}
        return api.post(f"/carts/{cart}/lines/", line).status_code

    def page(query: str) -> int:
        return api.get(f"/products/?{query}").status_code

    assert [add(limits["line_quantity"] + 1), add(limits["line_quantity"])] == [422, 201]
    assert [page(f"limit={limits['page_max'] + more}") for more in (0, 1)] == [200, 422]
    assert page("q=" + "a" * limits["query_characters"]) == 414
    assert page("&".join(["a"] * limits["query_parameters"])) == 422
    assert limits["body_bytes"] == SMALL_BYTES
    body = b"{}".ljust(limits["body_bytes"] + 1)
    assert api.post("/carts/", body).status_code == 413
    assert api.post("/carts/", body[:-1]).status_code == 201


def test_the_links_lead_somewhere(api: Api):
    for name, path in shop_of(api)["links"].items():
        found = api.client.get(path)
        assert found.status_code == (405 if name == "carts" else 200), path

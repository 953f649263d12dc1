"""Shipping rates: which are offered, what they cost, the pages of the staff."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import reverse

from lavka.kernel.money import Money
from lavka.shipping.models import ShippingRate
from lavka.shipping.options import Parcel, rates
from tests.accounts.factories import make_staff, token_of
from tests.shipping.factories import make_shipping_rate

BODY = {
    "country": "DE",
    "name": "Parcel",
    "delivery": "2–4 days",
    "price": {"amount": 499, "currency": "USD"},
    "free_from": {"amount": 5000, "currency": "USD"},
    "position": 1,
}


def offered(country: str, subtotal: int = 1000) -> list[tuple[str, int]]:
    parcel = Parcel(subtotal=Money(subtotal, "USD"), weight_grams=0)
    options = rates().options(parcel=parcel, address={"country": country})
    return [(option.name, option.price.amount) for option in options]


@pytest.mark.django_db
def test_a_country_has_its_own_rates_or_those_of_the_rest_of_the_world():
    make_shipping_rate(name="World", price_amount=2500)
    make_shipping_rate("DE", name="Express", price_amount=900, position=2)
    make_shipping_rate("DE", name="Parcel", price_amount=400, position=1)

    assert offered("DE") == [("Parcel", 400), ("Express", 900)]
    assert offered("FR") == [("World", 2500)]


@pytest.mark.django_db
def test_it_is_free_from_a_subtotal_on():
    make_shipping_rate(price_amount=500, free_from_amount=5000)

    assert (offered("DE", 4999), offered("DE", 5000)) == ([("Parcel", 500)], [("Parcel", 0)])


@pytest.mark.django_db
def test_staff_keep_the_rates(api):
    token = token_of(make_staff())

    created = api.post("/manage/shipping-rates/", BODY, token=token)
    again = api.post("/manage/shipping-rates/", BODY, token=token)
    path = f"/manage/shipping-rates/{created.json()['id']}/"
    changed = api.patch(path, {"free_from": None}, token=token)
    listed = api.get("/manage/shipping-rates/", token=token).json()["items"]
    deleted = api.delete(path, token=token)

    assert created.json() == BODY | {"id": created.json()["id"]}
    assert (again.status_code, again.json()["code"]) == (409, "taken")
    assert changed.json()["free_from"] is None
    assert listed == [changed.json()]
    assert (deleted.status_code, ShippingRate.objects.count()) == (204, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "XX"}, "#/country"),
        ({"price": {"amount": -1, "currency": "USD"}}, "#/price/amount"),
        ({"price": {"amount": 1, "currency": "EUR"}}, "#/price/currency"),
        ({"name": ""}, "#/name"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(api, change, pointer):
    answer = api.post("/manage/shipping-rates/", BODY | change, token=token_of(make_staff()))

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.django_db
def test_staff_write_amounts_in_major_units(client):
    client.force_login(make_staff())

    answer = client.post(
        reverse("admin:shipping_shippingrate_add"),
        {"country": "", "name": "World", "price_amount": "24.90", "position": "0"},
    )

    assert answer.status_code == 302
    assert ShippingRate.objects.get().price_amount == 2490


def test_rates_that_are_none_are_refused_at_start(settings):
    settings.LAVKA = settings.LAVKA | {"SHIPPING_RATES": "nowhere.Nothing"}

    with pytest.raises(SystemCheckError, match=r"lavka\.E003"):
        call_command("check")

"""Tax rates: the arithmetic, the days, the pages of the staff."""

import datetime
import uuid
from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from lavka.tax import selectors, services
from lavka.tax.calculator import Taxable, calculator
from lavka.tax.errors import RatesOverlap
from lavka.tax.models import TaxRate
from lavka.tax.rules import shares_to_keep, tax_of
from tests.accounts.factories import make_staff, token_of
from tests.racing import race
from tests.tax.factories import make_tax_rate

DAY = datetime.date
BODY = {"country": "DE", "percent": "19.000", "valid_from": "2021-01-01"}


@pytest.mark.parametrize(
    ("amount", "percent", "is_included", "expected"),
    [
        (1000, "20", False, 200),
        (1, "50", False, 1),  # half a cent goes up
        (3, "8.875", False, 0),
        (129_900, "8.875", False, 11_529),
        (1200, "20", True, 200),
        (1190, "19", True, 190),
        (999, "0", True, 0),
    ],
)
def test_tax_is_rounded_half_up(amount, percent, is_included, expected):
    assert tax_of(amount, Decimal(percent), is_included=is_included) == expected


@given(
    amount=st.integers(0, 10**15),
    percent=st.decimals("0", "100", places=3),
    is_included=st.booleans(),
)
def test_tax_is_the_nearest_minor_unit(amount, percent, is_included):
    tax = tax_of(amount, percent, is_included=is_included)

    base = 100 + percent if is_included else Decimal(100)
    assert abs(tax * base - amount * percent) * 2 <= base
    assert 0 <= tax <= amount


@pytest.mark.django_db
def test_the_rate_of_the_day_holds():
    make_tax_rate("DE", "19", valid_from=DAY(2007, 1, 1), valid_until=DAY(2020, 7, 1))
    make_tax_rate("DE", "16", valid_from=DAY(2020, 7, 1), valid_until=DAY(2021, 1, 1))
    make_tax_rate("DE", "19", valid_from=DAY(2021, 1, 1))

    days = [DAY(2006, 1, 1), DAY(2020, 6, 30), DAY(2020, 7, 1), DAY(2020, 12, 31), DAY(2026, 1, 1)]
    assert [selectors.rate_on("DE", day)[0] for day in days] == [0, 19, 16, 16, 19]


@pytest.mark.django_db
def test_a_country_without_a_rate_takes_nothing():
    taxes = calculator().taxes(
        parts=[Taxable(amount=1000)], address={"country": "NO"}, on=DAY(2026, 1, 1),
        are_included=False,
    )  # fmt: skip

    assert taxes == [[{"percent": "0", "amount": 0}]]


@pytest.mark.django_db
def test_two_rates_never_hold_on_one_day():
    make_tax_rate("DE", "19", valid_from=DAY(2021, 1, 1))
    make_tax_rate("FR", "20", valid_from=DAY(2021, 1, 1))

    with pytest.raises(RatesOverlap):
        services.create_rate(country="DE", percent=Decimal(20), valid_from=DAY(2030, 1, 1))

    assert TaxRate.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_rates_of_one_day_leave_one():
    outcomes = race(
        lambda: (
            services.create_rate(
                country="DE", percent=Decimal(19), valid_from=DAY(2021, 1, 1)
            ).country
        ),
        times=8,
    )

    assert Counter(outcomes) == {"DE": 1, RatesOverlap: 7}


@pytest.mark.django_db
def test_staff_keep_the_rates(api):
    token = token_of(make_staff())

    created = api.post("/manage/tax-rates/", BODY, token=token)
    path = f"/manage/tax-rates/{created.json()['id']}/"
    changed = api.patch(path, {"valid_until": "2030-01-01"}, token=token)
    listed = api.get("/manage/tax-rates/", token=token).json()["items"]
    deleted = api.delete(path, token=token)
    again = api.delete(path, token=token)

    assert created.status_code == 201
    assert created.json() == BODY | {
        "id": created.json()["id"],
        "percent": "19",
        "reason": "",
        "valid_until": None,
    }
    assert changed.json()["valid_until"] == "2030-01-01"
    assert listed == [changed.json()]
    assert (deleted.status_code, again.status_code) == (204, 404)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"country": "XX"}, 422, "invalid"),
        ({"percent": 101}, 422, "invalid"),
        ({"percent": "NaN"}, 422, "invalid"),
        ({"valid_until": "2020-01-01"}, 422, "invalid"),
        ({"country": "FR", "reason": "Export"}, 422, "invalid"),
        ({"country": "FR", "percent": 0, "reason": "x" * 201}, 422, "invalid"),
        ({"country": "FR", "percent": 0, "reason": 146}, 422, "invalid"),
        ({}, 409, "rates_overlap"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(api, change, status, code):
    make_tax_rate("DE", "19")

    answer = api.post("/manage/tax-rates/", BODY | change, token=token_of(make_staff()))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert TaxRate.objects.count() == 1


@pytest.mark.django_db
def test_a_rate_of_nothing_says_why(api):
    token = token_of(make_staff())
    body = BODY | {"percent": "0", "reason": "Export, article 146"}

    created = api.post("/manage/tax-rates/", body, token=token).json()
    path = f"/manage/tax-rates/{created['id']}/"
    refused = api.patch(path, {"percent": "19"}, token=token)
    [[share]] = calculator().taxes(
        parts=[Taxable(amount=1000)], address={"country": "DE"}, on=DAY(2026, 1, 1),
        are_included=False,
    )  # fmt: skip
    taxed = api.patch(path, {"percent": "19", "reason": ""}, token=token)

    assert created["reason"] == "Export, article 146"
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == ["#/reason"]
    assert share == {"percent": "0", "amount": 0, "reason": "Export, article 146"}
    assert (taxed.status_code, taxed.json()["reason"]) == (200, "")
    with pytest.raises(IntegrityError):
        TaxRate.objects.update(reason="Export")


@pytest.mark.parametrize(
    ("percent", "reason", "kept"),
    [
        ("0", "  Reverse\n charge ", {"reason": "Reverse charge"}),
        ("0.00", "x" * 300, {"reason": "x" * 200}),
        ("0", " ", {}),
        ("20", "Export", {}),
    ],
    ids=["one line", "long", "blank", "a tax"],
)
def test_orders_keep_reasons_only_where_nothing_is_taken(percent, reason, kept):
    share = {"percent": percent, "amount": 0, "reason": reason}

    [found] = shares_to_keep([share])

    assert found == {"percent": percent, "amount": 0} | kept
    assert shares_to_keep([{"percent": "0", "amount": 0}]) == [{"percent": "0", "amount": 0}]


@pytest.mark.django_db
def test_an_unknown_rate_is_404(api):
    answer = api.patch(f"/manage/tax-rates/{uuid.uuid4()}/", {}, token=token_of(make_staff()))

    assert answer.status_code == 404


@pytest.mark.django_db
def test_the_admin_tells_of_an_overlap_and_saves_nothing(client):
    make_tax_rate("DE", "19")
    client.force_login(make_staff())

    answer = client.post(
        reverse("admin:tax_taxrate_add"),
        {"country": "DE", "percent": "20", "valid_from": "2026-01-01"},
        follow=True,
    )

    assert "End that one first" in answer.content.decode()
    assert TaxRate.objects.count() == 1


@pytest.mark.django_db
def test_the_admin_keeps_reasons_of_no_tax_only(client):
    client.force_login(make_staff())
    page, body = reverse("admin:tax_taxrate_add"), {"country": "US", "valid_from": "2026-01-01"}

    refused = client.post(page, body | {"percent": "5", "reason": "Export"})
    client.post(page, body | {"percent": "0", "reason": "Export"})

    assert "Only a rate of zero has a reason." in refused.content.decode()
    assert [(each.percent, each.reason) for each in TaxRate.objects.all()] == [(0, "Export")]


def test_a_calculator_that_is_none_is_refused_at_start(settings):
    settings.LAVKA = settings.LAVKA | {"TAX_CALCULATOR": "builtins.dict"}

    with pytest.raises(SystemCheckError, match=r"lavka\.E002"):
        call_command("check")

"""An address as its country writes it; nothing that the customer wrote is missing."""

import pytest
from django.utils import translation

from lavka.addresses.countries import CODES
from lavka.addresses.formats import address_html, postal_lines
from lavka.addresses.rules import FIELDS
from tests.addresses.factories import address_in

ADA = {"name": "Ada Lovelace", "line1": "12 High Street", "line2": "Flat 3"}


def lines(country: str, **fields: str) -> list[str]:
    return postal_lines(dict.fromkeys(FIELDS, "") | ADA | {"country": country} | fields)


@pytest.mark.parametrize(
    ("country", "fields", "written"),
    [
        ("US", {"city": "San Francisco", "region": "CA", "postal_code": "94104"},
         ["SAN FRANCISCO, CA 94104", "United States of America"]),
        ("GB", {"city": "London", "postal_code": "SW1Y 4JH"},
         ["LONDON", "SW1Y 4JH", "United Kingdom"]),
        ("DE", {"city": "Berlin", "postal_code": "10115"}, ["10115 BERLIN", "Germany"]),
        ("CH", {"city": "Zürich", "postal_code": "8001"}, ["CH-8001 Zürich", "Switzerland"]),
        ("BR", {"city": "Santos", "region": "SP", "postal_code": "11010-000"},
         ["SANTOS-SP", "11010-000", "Brazil"]),
        ("ES", {"city": "Sitges", "region": "B", "postal_code": "08870"},
         ["08870 SITGES BARCELONA", "Spain"]),
        ("SG", {"city": "Singapore", "postal_code": "018956"}, ["SINGAPORE 018956", "Singapore"]),
        ("HK", {"city": "Central", "region": "Hong Kong Island"},
         ["Central", "HONG KONG ISLAND", "Hong Kong"]),
        ("AE", {"city": "Dubai", "region": "إمارة دبيّ"}, ["Dubai", "United Arab Emirates"]),
        ("JP", {"city": "Shibuya-ku", "region": "東京都", "postal_code": "150-0001"},
         ["Shibuya-ku, TOKYO", "150-0001", "Japan"]),
        # What the country does not ask for.
        ("GB", {"city": "London", "region": "Greater London", "postal_code": "SW1Y 4JH"},
         ["LONDON", "Greater London", "SW1Y 4JH", "United Kingdom"]),
        ("DE", {"city": "Berlin", "region": "Bayern", "postal_code": "10115"},
         ["10115 BERLIN", "Bayern", "Germany"]),
        ("HK", {"city": "Central", "region": "Kowloon", "postal_code": "999077"},
         ["Central", "999077", "KOWLOON", "Hong Kong"]),
        # Old addresses, which nobody has checked.
        ("US", {"city": "San Francisco"}, ["SAN FRANCISCO", "United States of America"]),
        ("US", {"postal_code": "94104"}, ["94104", "United States of America"]),
        ("US", {"city": "Rome", "region": "Lazio"}, ["ROME, LAZIO", "United States of America"]),
        ("CH", {"city": "Zürich"}, ["Zürich", "Switzerland"]),
        ("SG", {}, ["Singapore"]),
        ("TH", {"city": "Bang Rak"}, ["Bang Rak", "Thailand"]),
    ],
)  # fmt: skip
def test_an_address_in_latin_letters(country: str, fields: dict[str, str], written: list[str]):
    assert lines(country, **fields) == ["Ada Lovelace", "12 High Street", "Flat 3", *written]


def test_an_address_in_the_countrys_own_letters():
    tokyo = {
        "name": "山田太郎",
        "line1": "神南1-2-3",
        "line2": "",
        "city": "渋谷区",
        "region": "東京都",
        "postal_code": "150-0001",
    }
    kowloon = {"name": "陳", "line1": "彌敦道1號", "line2": "", "city": "旺角", "region": "Kowloon"}

    assert lines("JP", **tokyo) == [
        "〒150-0001",
        "東京都",
        "渋谷区",
        "神南1-2-3",
        "山田太郎",
        "Japan",
    ]
    assert lines("HK", **kowloon) == ["九龍", "旺角", "彌敦道1號", "陳", "Hong Kong"]


def test_the_country_is_named_in_the_readers_language():
    with translation.override("ru"):
        assert lines("DE", city="Berlin", postal_code="10115")[-1] == "Германия"


def test_what_is_no_country_any_more_is_written_all_the_same():
    assert lines("YU", city="Beograd") == [
        "Ada Lovelace", "12 High Street", "Flat 3", "Beograd", "YU",
    ]  # fmt: skip
    assert postal_lines({}) == []


def test_nothing_that_was_written_is_missing():
    for country in CODES:
        address = address_in(
            country, line2="Flat 3", city="Oxbridge", region="Midlothian", postal_code="Q1W 2E3"
        )

        written = " ".join(postal_lines(address)).casefold()

        for name in ("name", "line1", "line2", "city", "region", "postal_code"):
            assert address[name].casefold() in written, country


def test_staff_see_lines_and_phone_and_no_markup():
    shown = address_html(address_in("GB", name="<b>Ada</b>", phone="+44 20"))

    assert shown.startswith("&lt;b&gt;Ada&lt;/b&gt;<br>1 High Street<br>ANYTOWN<br>")
    assert shown.endswith("United Kingdom<br>+44 20")
    assert address_html(None) == "–"

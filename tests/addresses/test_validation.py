"""Addresses by country: spelled the one way, refused with what is expected, never cut."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from lavka.addresses.countries import CODES
from lavka.addresses.rules import FIELDS, rules_of
from lavka.addresses.validation import clean_address, clean_addresses
from lavka.kernel.errors import Invalid
from tests.addresses.factories import address_in


def refusals(country: str, **fields: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        clean_address(address_in(country) | fields)
    return [(error.pointer, error.code) for error in refusal.value.errors]


def detail(country: str, **fields: str) -> str:
    with pytest.raises(Invalid) as refusal:
        clean_address(address_in(country) | fields)
    (error,) = refusal.value.errors
    return error.detail


def test_each_country_takes_what_its_own_examples_say():
    for country in CODES:
        address = address_in(country)

        assert clean_address(address) == address


@pytest.mark.parametrize(
    ("country", "written", "spelled"),
    [
        ("GB", " sw1y4jh ", "SW1Y 4JH"),
        ("GB", "ec1a 1bb", "EC1A 1BB"),
        ("CA", "h3z2y7", "H3Z 2Y7"),
        ("NL", "1012ab", "1012 AB"),
        ("IE", "d02x285", "D02 X285"),
        ("US", "94104-1234", "94104-1234"),
        ("US", "94104 1234", "94104-1234"),
        ("DE", "D-10115", "10115"),
        ("DE", "DE 10115", "10115"),
        ("SE", "SE-114 55", "11455"),
        ("CH", "CH-8001", "8001"),
        ("FR", "75 001", "75001"),
        ("PL", "00950", "00-950"),
        ("PT", "1000 001", "1000-001"),
        ("BR", "01310100", "01310-100"),
        ("IN", "560 001", "560001"),
        ("CZ", "11000", "110 00"),
        ("LV", "1073", "LV-1073"),
        ("JP", "１５０－０００１", "150-0001"),
        ("JP", "〒150-0001", "150-0001"),
        ("JP", "〒 1500001", "150-0001"),
        ("AE", "p.o. box 7", "P.O. BOX 7"),
    ],
)
def test_a_postal_code_is_spelled_as_its_country_does(country, written, spelled):
    assert clean_address(address_in(country, postal_code=written))["postal_code"] == spelled


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("DE", "1011"), ("DE", "101155"), ("DE", "1O115"), ("DE", "10115 Berlin"),
        ("US", "9410"), ("US", "K1A 0B1"), ("GB", "94104"), ("GB", "GIR 0AA and more"),
        ("CA", "D3Z 2Y7"), ("FR", "7500"), ("NL", "0123"), ("AU", "٢٠٠٠"), ("RU", "1234567"),
        ("HK", "ß" * 20), ("HK", "x" * 21),
    ],
)  # fmt: skip
def test_a_code_that_is_none_is_refused_with_examples(country: str, written: str):
    assert refusals(country, postal_code=written) == [("#/postal_code", "invalid_postal_code")]
    examples = rules_of(country).postal_code_examples
    assert not examples or examples[0] in detail(country, postal_code=written)


@pytest.mark.parametrize(
    ("country", "written", "code"),
    [
        ("US", "ca", "CA"), ("US", "California", "CA"), ("US", " new  york ", "NY"),
        ("US", "D.C.", "DC"), ("CA", "Québec", "QC"), ("CA", "quebec", "QC"),
        ("CA", "Colombie-Britannique", "BC"), ("AU", "new south wales", "NSW"),
        ("BR", "Sao Paulo", "SP"), ("IT", "Roma", "RM"), ("ES", "Barcelona", "B"),
        ("MX", "CDMX", "CDMX"), ("IN", "tamil nadu", "Tamil Nadu"), ("JP", "Tokyo", "東京都"),
        ("JP", "13", "東京都"), ("JP", "東京", "東京都"), ("CN", "北京", "北京市"),
        ("KR", "Seoul", "서울특별시"), ("HK", "九龍", "Kowloon"), ("AE", "Dubai", "إمارة دبيّ"),
        ("RU", "Татарстан", "Республика Татарстан"), ("RU", "Moskva", "Москва"),
        ("RU", "московская обл.", "Московская область"), ("TR", "ADIYAMAN", "Adıyaman"),
        ("IE", "Dublin", "Co. Dublin"), ("IE", "County Cork", "Co. Cork"),
        ("CN", "Beijing", "北京市"), ("CN", "guangdong", "广东省"),
        ("CN", "Guangdong Province", "广东省"), ("CN", "Guangxi", "广西壮族自治区"),
        ("CN", "Shanxi", "山西省"), ("CN", "Shaanxi", "陕西省"),
        ("RU", "moscow", "Москва"), ("RU", "Moscow Oblast", "Московская область"),
        ("RU", "St Petersburg", "Санкт-Петербург"), ("JP", "Tokyo-to", "東京都"),
        ("JP", "Ōsaka-fu", "大阪府"), ("KR", "Gyeonggi", "경기도"),
        ("KR", "Jeju-do", "제주특별자치도"),
    ],
)  # fmt: skip
def test_a_region_becomes_its_code(country: str, written: str, code: str):
    assert clean_address(address_in(country, region=written))["region"] == code


@pytest.mark.parametrize(
    ("country", "written"),
    [("US", "Calizona"), ("US", "Carolina"), ("CA", "CA"), ("AU", "Ontario"), ("JP", "Paris")],
)
def test_a_region_that_a_closed_list_does_not_have_is_refused(country: str, written: str):
    assert refusals(country, region=written) == [("#/region", "invalid_region")]


def test_a_short_list_of_areas_is_told_and_of_a_long_one_where_it_is():
    assert "Known are: AB, BC, MB, NB" in detail("CA", region="Nowhere")
    assert "Known are: those at /api/v1/countries/US/." in detail("US", region="Nowhere")


@pytest.mark.parametrize(
    ("country", "region"),
    [("GB", "Greater London"), ("DE", "Bayern"), ("FR", "Île-de-France"), ("IE", "Nowhere"),
     ("SG", "Central"), ("TR", "İzmir ili")],
)  # fmt: skip
def test_a_region_that_no_list_closes_stays_as_it_was_written(country: str, region: str):
    assert clean_address(address_in(country, region=region))["region"] == region


@pytest.mark.parametrize(
    ("country", "missing"),
    [
        ("GB", ["city", "postal_code"]), ("US", ["city", "region", "postal_code"]),
        ("JP", ["region", "postal_code"]), ("SG", ["postal_code"]), ("HK", ["region"]),
        ("AE", ["region"]), ("IE", ["city"]), ("RU", ["city", "region", "postal_code"]),
    ],
)  # fmt: skip
def test_what_the_country_requires_is_required(country: str, missing: list[str]):
    bare = {"city": "", "region": " ", "postal_code": "\t"}

    assert refusals(country, **bare) == [(f"#/{name}", "required") for name in missing]


def test_a_refusal_names_the_field_as_the_country_does_and_shows_how_it_looks():
    assert detail("US", postal_code="") == (
        "ZIP code is required in this country (United States of America), "
        "such as 95014 or 22162-1010."
    )
    with translation.override("ru"):
        assert detail("DE", postal_code="1") == (
            "«1» — не почтовый индекс этой страны (Германия). Он выглядит так: 26133 или 53225."
        )


@pytest.mark.parametrize("country", ["", "X", "XX", "USA", "ZZ", "é", "../us"])
def test_what_is_no_country_is_refused(country: str):
    with pytest.raises(Invalid) as refusal:
        clean_address(address_in("GB") | {"country": country})

    assert [(each.pointer, each.code) for each in refusal.value.errors] == [
        ("#/country", "invalid_choice")
    ]


def test_a_line_is_one_line():
    address = address_in(
        "GB", name=" Ada\n\n  Lovelace ", line1="1\x00High\tStreet\u2028", phone="\x1b1"
    )

    cleaned = clean_address(address)

    assert (cleaned["name"], cleaned["line1"]) == ("Ada Lovelace", "1 High Street")
    assert cleaned["phone"] == "1"


def test_a_refusal_names_the_areas_there_are_and_where_the_rules_stand():
    with pytest.raises(Invalid) as refusal:
        clean_address(address_in("CA", region="", postal_code="1"))

    region, code = refusal.value.errors
    assert region.choices[:3] == ("AB", "BC", "MB")
    assert (code.choices, code.choices_url) == ((), "/api/v1/countries/CA/")


def test_several_addresses_are_refused_together():
    with pytest.raises(Invalid) as refusal:
        clean_addresses(
            {
                "shipping": address_in("DE", postal_code="1"),
                "billing": address_in("US", region="Nowhere"),
            }
        )

    assert [error.pointer for error in refusal.value.errors] == [
        "#/shipping/postal_code",
        "#/billing/region",
    ]


@given(
    country=st.sampled_from(CODES),
    fields=st.fixed_dictionaries({}, optional={name: st.text(max_size=40) for name in FIELDS[:-2]}),
)
def test_whatever_is_written_is_refused_or_stays_as_it_is_then(country, fields):
    cleaned = taken(address_in(country) | fields)

    if cleaned is not None:
        assert clean_address(cleaned) == cleaned
        assert cleaned.keys() == set(FIELDS)
        assert len(cleaned["postal_code"]) <= 20
        for name in {"name", "line1", "line2", "city"} & fields.keys():
            assert letters(cleaned[name]) == letters(fields[name])


def taken(address: dict[str, str]) -> dict[str, str] | None:
    try:
        return clean_address(address)
    except Invalid:
        return None


def letters(text: str) -> str:
    """What is neither a space nor a control."""
    return "".join(each for each in text if each.isprintable() and not each.isspace())

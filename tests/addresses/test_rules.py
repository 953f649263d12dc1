"""What is known of countries, and what it costs to know it."""

import tracemalloc

from lavka.addresses.countries import CODES, names
from lavka.addresses.rules import rules_of


def test_every_spelling_of_an_area_means_that_area():
    for rules in map(rules_of, CODES):
        for area in rules.areas:
            for spelling in (area.code, area.name, area.latin_name, area.name.upper()):
                assert rules.area(spelling) == area


def test_an_area_is_known_by_the_iso_code_that_forms_are_told():
    for rules in map(rules_of, CODES):
        for area in rules.areas:
            code = f"{rules.country}-{area.iso_code}"
            assert not area.iso_code or rules.area(code) == rules.area(code.lower()) == area


def test_a_countrys_own_examples_fit_its_pattern():
    for rules in map(rules_of, CODES):
        for example in rules.postal_code_examples:
            assert rules.postal_code is None or rules.postal_code.fullmatch(example)


def test_all_countries_together_take_little_memory():
    rules_of.cache_clear()
    tracemalloc.start()
    try:
        for country in CODES:
            rules_of(country)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 4_000_000
    assert peak < 12_000_000


def test_countries_are_in_the_order_of_their_names():
    assert set(names()) == set(CODES)
    assert list(names())[:3] == ["AF", "AX", "AL"]

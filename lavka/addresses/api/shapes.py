"""A country's rules as a form needs them."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import get_language

from lavka.addresses.api.serializers import BOUNDS
from lavka.addresses.countries import name_of
from lavka.addresses.labels import label_of
from lavka.addresses.rules import LETTERS, AddressRules, Area, rules_of
from lavka.web import json

# A country's list of areas takes up to ten kilobytes.
KEPT = 64


def address_rules(country: str) -> bytes:
    """`AddressRulesOutput` as JSON, in the active language; raises ValueError for no country."""
    return _written(country, get_language() or "en")


@lru_cache(KEPT)
def _written(country: str, language: str) -> bytes:
    rules = rules_of(country)
    shown = {
        "code": country,
        "name": name_of(country),
        "lines": [[_field(name, rules) for name in line] for line in _lines(rules)],
        "postal_code": rules.postal_code
        and {"pattern": rules.postal_code.pattern, "examples": rules.postal_code_examples},
        "areas": [_area(area, rules, language) for area in rules.areas],
        "areas_closed": rules.are_areas_closed,
    }
    return json.dumps(shown)


def _lines(rules: AddressRules) -> Iterator[list[str]]:
    """The country's order; `line2` follows `line1`, and what the country does not use ends it."""
    written = [
        [LETTERS[letter] for letter in re.findall(r"%([A-Z])", line) if letter in LETTERS]
        for line in rules.format.split("%n")
    ]
    for line in filter(None, written):
        yield line
        if "line1" in line:
            yield ["line2"]
    yield ["country"]
    yield ["phone"]


def _field(name: str, rules: AddressRules) -> dict[str, Any]:
    return {
        "name": name,
        "label": capfirst(label_of(name, rules)),
        "required": name in rules.required,
        "upper_case": name in rules.upper_case,
        "max_length": BOUNDS[name],
    }


def _area(area: Area, rules: AddressRules, language: str) -> dict[str, Any]:
    """Named in the country's own language where that is the reader's, else in Latin letters."""
    is_own = rules.language.partition("-")[0] == language
    return {
        "code": area.code,
        "name": area.name if is_own else area.latin_name,
        "iso_code": f"{rules.country}-{area.iso_code}" if area.iso_code else None,
    }

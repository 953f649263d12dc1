"""Countries: their codes, and their names in the active language."""

import unicodedata
from collections.abc import Mapping
from functools import cache

from django.utils.translation import get_language, override
from django_countries import countries
from django_countries.data import COUNTRIES

COUNTRIES_PATH = "/api/v1/countries/"
CODES: tuple[str, ...] = tuple(sorted(COUNTRIES))


def name_of(code: str) -> str:
    """The country's name in the active language; the code itself for what is no country."""
    return names().get(code, code)


def names() -> Mapping[str, str]:
    """ISO 3166-1 alpha-2 code → name, in the order of the names in the active language."""
    return _names(get_language() or "en")


@cache
def _names(language: str) -> Mapping[str, str]:
    with override(language):
        named = {code: str(name) for code, name in countries}
    return dict(sorted(named.items(), key=lambda each: _place(each[1])))


def _place(name: str) -> str:
    """Åland among the As."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))

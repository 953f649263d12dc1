"""Every address that comes in passes here: spelled the one way, and refused where it cannot be."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from lavka.addresses.countries import CODES, COUNTRIES_PATH, name_of
from lavka.addresses.labels import label_of
from lavka.addresses.rules import FIELDS, AddressRules, rules_of
from lavka.kernel.errors import FieldError, Invalid

MAX_POSTAL_CODE = 20
# A list of areas is told as long as it can be read at a glance.
MAX_TOLD = 80
HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−ー－"), "-")
# D-10115, SE-114 55, MD2012
COUNTRY_IN_FRONT = re.compile(r"^[A-Z]{1,3}[- ]?(?=\d)")
JAPANESE_MARK = "〒"
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean_address(fields: Mapping[str, str], *, pointer: str = "#") -> dict[str, str]:
    """An address in its one spelling, with all of `FIELDS`; other keys are left out.

    Spaces are trimmed, the country and the postal code are in upper case, a region that the country
    knows becomes its code. Nothing else that was written is changed or dropped.
    Raises: Invalid, with `<pointer>/<field>` for each field that the country refuses.
    """
    address = {name: _trimmed(fields.get(name, "")) for name in FIELDS}
    address["country"] = address["country"].upper()
    if address["country"] not in CODES:
        detail = _("“%(code)s” is no country code. All are listed at /api/v1/countries/.") % {
            "code": address["country"]
        }
        refused = FieldError(
            f"{pointer}/country", "invalid_choice", detail, choices_url=COUNTRIES_PATH
        )
        raise Invalid(errors=[refused])
    rules = rules_of(address["country"])
    address["postal_code"] = _spelled_postal_code(address["postal_code"], rules)
    area = rules.area(address["region"])
    if area is not None:
        address["region"] = area.code
    errors = list(_errors(address, rules, pointer))
    if errors:
        raise Invalid(errors=errors)
    return address


def clean_addresses(
    addresses: Mapping[str, Mapping[str, str]],
) -> dict[str, dict[str, str]]:
    """Several, each by the name of its field in the body.

    Raises: Invalid, with what is wrong in all of them.
    """
    cleaned: dict[str, dict[str, str]] = {}
    errors: list[FieldError] = []
    for name, fields in addresses.items():
        try:
            cleaned[name] = clean_address(fields, pointer=f"#/{name}")
        except Invalid as refusal:
            errors += refusal.errors
    if errors:
        raise Invalid(errors=errors)
    return cleaned


def _errors(address: Mapping[str, str], rules: AddressRules, pointer: str) -> Iterator[FieldError]:
    code, region = address["postal_code"], address["region"]
    for name in FIELDS:
        if name in rules.required and not address[name]:
            yield _refused(name, "required", _missing(name, rules), rules, pointer)
    if code and not _is_postal_code(code, rules):
        yield _refused("postal_code", "invalid_postal_code", _unlike(code, rules), rules, pointer)
    if region and rules.are_areas_closed and rules.area(region) is None:
        yield _refused("region", "invalid_region", _unknown_region(region, rules), rules, pointer)


def _refused(name: str, code: str, detail: str, rules: AddressRules, pointer: str) -> FieldError:
    """With the areas there are, and the path that tells how addresses of the country look."""
    return FieldError(
        f"{pointer}/{name}",
        code,
        detail,
        choices=tuple(area.code for area in rules.areas) if name == "region" else (),
        choices_url=f"{COUNTRIES_PATH}{rules.country}/",
    )


def _trimmed(text: str) -> str:
    """On one line, with single spaces."""
    return " ".join(CONTROLS.sub(" ", text).split())


def _spelled_postal_code(text: str, rules: AddressRules) -> str:
    """In upper case and plain digits, without the country in front, separated as in the examples.

    What does not become a postal code by this stays as it was written.
    """
    code = unicodedata.normalize("NFKC", text).translate(HYPHENS).upper()
    code = code.removeprefix(JAPANESE_MARK).strip()
    if rules.postal_code is None:
        return code
    for candidate in (code, COUNTRY_IN_FRONT.sub("", code), f"{rules.country}-{code}"):
        compact = candidate.replace(" ", "").replace("-", "")
        separated = {*_separated(compact, rules)}
        if len(separated) == 1:
            return separated.pop()
        for spelling in (compact, candidate):
            if rules.postal_code.fullmatch(spelling):
                return spelling
    return code


def _separated(digits: str, rules: AddressRules) -> Iterator[str]:
    """The spellings with one separator that the country's examples have too."""
    if rules.separated_postal_code is None:
        return
    for separator in (" ", "-"):
        if any(separator in example for example in rules.postal_code_examples):
            for place in range(1, len(digits)):
                candidate = f"{digits[:place]}{separator}{digits[place:]}"
                if rules.separated_postal_code.fullmatch(candidate):
                    yield candidate


def _is_postal_code(code: str, rules: AddressRules) -> bool:
    if len(code) > MAX_POSTAL_CODE:
        return False
    return rules.postal_code is None or rules.postal_code.fullmatch(code) is not None


def _missing(name: str, rules: AddressRules) -> str:
    given = {"field": capfirst(label_of(name, rules)), "country": name_of(rules.country)}
    if name == "postal_code" and rules.postal_code_examples:
        detail = _("%(field)s is required in this country (%(country)s), such as %(example)s.")
        return detail % (given | {"example": _examples(rules)})
    if name == "region" and rules.areas:
        detail = _("%(field)s is required in this country (%(country)s). Known are: %(codes)s.")
        return detail % (given | {"codes": _known(rules)})
    return _("%(field)s is required in this country (%(country)s).") % given


def _unlike(code: str, rules: AddressRules) -> str:
    given = {"code": code[:MAX_POSTAL_CODE], "country": name_of(rules.country)}
    if not rules.postal_code_examples:
        return _("“%(code)s” is no postal code of this country (%(country)s).") % given
    return _(
        "“%(code)s” is no postal code of this country (%(country)s). One looks like %(example)s."
    ) % (given | {"example": _examples(rules)})


def _unknown_region(region: str, rules: AddressRules) -> str:
    return _("“%(region)s” is not known in this country (%(country)s). Known are: %(codes)s.") % {
        "region": region[:40],
        "country": name_of(rules.country),
        "codes": _known(rules),
    }


def _known(rules: AddressRules) -> str:
    """The codes of the areas, or where they are."""
    codes = ", ".join(area.code for area in rules.areas)
    if len(codes) <= MAX_TOLD:
        return codes
    return _("those at /api/v1/countries/%(country)s/") % {"country": rules.country}


def _examples(rules: AddressRules) -> str:
    return _(" or ").join(rules.postal_code_examples[:2])

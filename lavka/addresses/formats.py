"""An address as its country writes it, line by line: for pages, invoices, labels and staff."""

import re
import unicodedata
from collections.abc import Mapping

from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from lavka.addresses.countries import CODES, name_of
from lavka.addresses.rules import LETTERS, AddressRules, rules_of

_FIELDS = re.compile(r"(%[A-Z])")
# Company, district and sorting code, which an address has no field for.
_UNUSED = re.compile(r"(?:^|(?<=%n))%[ODX](?:, ?| )?|(?:, ?| )?%[ODX]")
# Whose codes are for forms; mail names the area.
_NAMED = frozenset({"ES"})


def postal_lines(address: Mapping[str, str]) -> list[str]:
    """The lines from the recipient to the country, whose name is in the active language.

    In Latin letters where the address is. An address that its country would refuse today is
    written all the same: nothing of it is left out.
    """
    country = address.get("country", "")
    values = {name: address.get(name, "") for name in LETTERS.values()}
    values["line1"] = "\n".join(filter(None, [values["line1"], address.get("line2", "")]))
    if country not in CODES:
        return [line for value in (*values.values(), country) for line in value.splitlines()]
    rules = rules_of(country)
    is_latin = all(_is_latin(values[name]) for name in ("name", "line1", "city"))
    values["region"] = _region(values["region"], rules, is_latin=is_latin)
    for name in rules.upper_case:
        values[name] = values[name].upper()
    template = _UNUSED.sub("", rules.latin_format if is_latin else rules.format)
    complete = _complete(template, values, implied=name_of(country))
    written = "\n".join(_line(line, values) for line in complete.split("%n"))
    return [*filter(None, written.split("\n")), name_of(country)]


def address_html(address: Mapping[str, str] | None) -> str:
    """For the staff's pages: the lines, and the phone."""
    if not address:
        return "–"
    lines = [*postal_lines(address), address.get("phone", "")]
    return format_html_join(mark_safe("<br>"), "{}", ([line] for line in lines if line))


def _is_latin(text: str) -> bool:
    return all(
        unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha()
    )


def _region(text: str, rules: AddressRules, *, is_latin: bool) -> str:
    """An area's code, or its name where the code is in other letters than the address."""
    area = rules.area(text) if text else None
    if area is None:
        return text
    if rules.country in _NAMED:
        return area.name
    spellings = (area.code, area.name, area.latin_name)
    return next((each for each in spellings if _is_latin(each) == is_latin), area.code)


def _complete(template: str, values: Mapping[str, str], *, implied: str) -> str:
    """The format, with places for what the customer wrote and the country does not ask for.

    What the format says anyway, such as `SINGAPORE`, and the country's name are not said twice.
    """
    parts = _FIELDS.split(template)
    said = {values[LETTERS[part[1]]] for part in parts[1::2]} | {part.strip() for part in parts}
    said = {each.casefold() for each in [*said, implied]}
    is_from_large_to_small = template.find("%A") > max(template.find("%S"), template.find("%C"))
    for letter, name in (("C", "city"), ("S", "region"), ("Z", "postal_code")):
        if f"%{letter}" in template or values[name].casefold() in said:
            continue
        if is_from_large_to_small and letter != "Z":
            template = template.replace("%A", f"%{letter}%n%A")
        elif letter == "C":
            template = template.replace("%A", "%A%n%C")
        else:
            place = "%C" if "%C" in template else "%A"
            line = next(line for line in template.split("%n") if place in line)
            template = template.replace(line, f"{line}%n%{letter}")
    return template


def _line(line: str, values: Mapping[str, str]) -> str:
    """A line without the separators of what is not there."""
    written = ""
    parts = _FIELDS.split(line)
    for index, literal in enumerate(parts[::2]):
        field = parts[2 * index + 1] if 2 * index + 1 < len(parts) else ""
        value = values[LETTERS[field[1]]] if field else literal
        if value:
            is_separator = index > 0 and not written
            written += value if is_separator or not field else f"{literal}{value}"
    return written.strip()

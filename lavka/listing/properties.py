"""Which attributes there are to ask for, and how `attr.<code>=…` is read."""

import datetime
import math
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from lavka.kernel import database
from lavka.kernel.errors import FieldError, Invalid
from lavka.listing.rules import token
from lavka.listing.wanted import Property

MAX_PROPERTIES = 20  # a code with both of its bounds is one
# A kind stays for good; only an attribute that was deleted and made anew may have another.
KEPT_SECONDS = 60.0
FACETS_PATH = "/api/v1/products/facets/"
BOOLEANS = ("true", "false")
_EPOCH = datetime.date(1970, 1, 1)


_KINDS = "SELECT code, kind FROM catalog_attribute"


class Kinds:
    """The attributes' kinds by code, kept in the process; an unknown code looks once more."""

    def __init__(self) -> None:
        """Know none."""
        self._kinds: Mapping[str, str] = {}
        self._read_at = -math.inf

    async def of(self, codes: Collection[str]) -> Mapping[str, str]:
        """All kinds, with those of `codes` if there are such attributes."""
        is_old = time.monotonic() - self._read_at > KEPT_SECONDS
        if is_old or any(code not in self._kinds for code in codes):
            rows = await database.fetch_all(_KINDS, is_short=True)
            self._kinds, self._read_at = dict(rows), time.monotonic()
        return self._kinds

    def forget(self) -> None:
        """Look again at the next question."""
        self._read_at = -math.inf


kinds = Kinds()


async def read_properties(asked: Mapping[str, Sequence[str]]) -> tuple[Property, ...]:
    """The members of `attr`: `code`, `code.min` or `code.max`, each with its values.

    Raises: Invalid, naming the parameter, for an unknown code or a value of another kind.
    """
    if not asked:
        return ()
    codes = {member.partition(".")[0] for member in asked}
    if len(codes) > MAX_PROPERTIES:
        detail = _("At most %(count)s attributes at once.") % {"count": MAX_PROPERTIES}
        raise Invalid(errors=[FieldError("?attr", "too_many", detail)])
    known = await kinds.of(codes)
    chosen: dict[str, list[str]] = {}
    bounds: dict[str, dict[str, float]] = {}
    for member, values in asked.items():
        code, _dot, bound = member.partition(".")
        kind = known.get(code)
        if kind is None or bound not in {"", "min", "max"}:
            raise _refused(
                member, "unknown", _("There is no such attribute."), tuple(sorted(known))
            )
        if bound or kind in {"number", "date"}:
            bounds.setdefault(code, {}).update(_bounds(member, kind, bound, values[-1]))
        else:
            chosen.setdefault(code, []).extend(
                token(code, kind, _value(member, kind, value)) for value in values
            )
    return tuple(_properties(chosen, bounds))


def _properties(
    chosen: Mapping[str, list[str]], bounds: Mapping[str, dict[str, float]]
) -> Iterator[Property]:
    for code in sorted(chosen):
        yield Property(code=code, tokens=tuple(sorted(set(chosen[code]))))
    for code in sorted(bounds):
        limits = bounds[code]
        yield Property(code=code, minimum=limits.get("min"), maximum=limits.get("max"))


def _value(member: str, kind: str, value: str) -> str:
    if kind == "boolean" and value not in {"true", "false"}:
        raise _refused(member, "invalid_choice", _("true or false is expected."), BOOLEANS)
    return value


def _bounds(member: str, kind: str, bound: str, value: str) -> dict[str, float]:
    """A bound as a number; a plain value is both bounds."""
    if kind == "number":
        number = _number(member, value)
    elif kind == "date":
        number = _date(member, value)
    else:
        raise _refused(member, "not_a_range", _("Only numbers and dates have a range."))
    return {bound: number} if bound else {"min": number, "max": number}


def _number(member: str, value: str) -> float:
    try:
        number = float(value) if value.isascii() and len(value) <= 40 else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refused(member, "invalid", _("A number is expected."))
    return number


def _date(member: str, value: str) -> float:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return (datetime.date.fromisoformat(value) - _EPOCH).days
        except ValueError:
            pass
    raise _refused(member, "invalid", _("A date such as 2026-01-31 is expected."))


def _refused(member: str, code: str, detail: str, choices: Sequence[str] = ()) -> Invalid:
    path = FACETS_PATH if code == "unknown" else ""
    return Invalid(errors=[FieldError(f"?attr.{member}", code, detail, choices, path)])

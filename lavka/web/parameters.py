"""Query parameters read strictly: what does not fit its kind is 422 and names the parameter."""

import datetime
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter

from lavka.kernel.errors import MAX_ERRORS, FieldError, Invalid
from lavka.web.problems import QueryTooLong

# Of one value, unless its parameter says otherwise; of a query; and how many it may have.
MAX_TEXT, MAX_QUERY, MAX_PARAMETERS = 200, 8192, 100
MAX_DIGITS = 40
EARLIEST, LATEST = datetime.date(1900, 1, 1), datetime.date(2999, 12, 31)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
BOOLEANS = ("true", "false")


def refuse(name: str, code: str, detail: str, choices: Collection[str] = ()) -> Invalid:
    """The refusal of one query parameter."""
    return Invalid(errors=[FieldError(f"?{name}", code, detail, tuple(choices))])


def text_parameter(
    name: str, description: str, *, max_length: int = MAX_TEXT, max_times: int = 1
) -> OpenApiParameter:
    """A query parameter of so many characters, which may be given so many times."""
    kind: dict[str, Any] = {"type": "string", "maxLength": max_length}
    if max_times > 1:
        kind = {"type": "array", "maxItems": max_times, "items": kind}
    return OpenApiParameter(name, kind, description=description)


def date_parameter(name: str, description: str) -> OpenApiParameter:
    """A query parameter that is a day."""
    return OpenApiParameter(name, {"type": "string", "format": "date"}, description=description)


def number_parameter(
    name: str, description: str, *, minimum: int = 0, maximum: int, default: int | None = None
) -> OpenApiParameter:
    """A query parameter that is a whole number."""
    kind = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return OpenApiParameter(name, kind, description=description, default=default)


@dataclass(frozen=True, slots=True)
class Bound:
    """How long each value of a parameter may be, and how often it may be given."""

    max_length: int = MAX_TEXT
    max_times: int = 1

    @classmethod
    def of(cls, parameter: OpenApiParameter) -> "Bound":
        """What a parameter's description says."""
        kind = parameter.type if isinstance(parameter.type, dict) else {}
        if kind.get("type") == "object":
            return cls(kind["additionalProperties"]["maxLength"], MAX_PARAMETERS)
        items = kind.get("items", kind)
        return cls(items.get("maxLength", MAX_TEXT), kind.get("maxItems", 1))

    def fault(self, values: Sequence[str]) -> tuple[str, str] | None:
        """Code and text of what is wrong with a parameter's values."""
        if len(values) > self.max_times:
            detail = _("At most %(count)s times in one request.") % {"count": self.max_times}
            return "repeated", detail
        for value in values:
            if len(value) > self.max_length:
                return "too_long", _("At most %(count)s characters.") % {"count": self.max_length}
            if "\x00" in value:
                return "null_character", _("U+0000 is not accepted.")
        return None


def require_known(request: HttpRequest, handler: Callable[..., Any]) -> None:
    """Refuse what the handler's `@operation` does not name, as a body's unknown fields are.

    What an object parameter holds is for the handler to know.
    Raises: QueryTooLong; Invalid, also for a value that is too long, given too often, or has
    U+0000, which PostgreSQL can neither store nor compare.
    """
    raw = request.META["QUERY_STRING"]
    if not raw:
        return
    if len(raw) > MAX_QUERY:
        raise QueryTooLong(limit=MAX_QUERY)
    if raw.count("&") >= MAX_PARAMETERS:
        detail = _("At most %(count)s parameters.") % {"count": MAX_PARAMETERS}
        raise Invalid(errors=[FieldError("?", "too_many", detail)])
    faults = list(islice(_faults(request.GET, handler), MAX_ERRORS + 1))
    if faults:
        raise Invalid(errors=faults)


def _faults(query: QueryDict, handler: Callable[..., Any]) -> Iterator[FieldError]:
    bounds: Mapping[str, Bound] = getattr(handler, "query_parameters", {})
    objects: Mapping[str | None, Bound] = getattr(handler, "query_objects", {})
    for name, values in query.lists():
        bound = bounds.get(name) or objects.get(_owner(name))
        if bound is None:
            known = (*bounds, *(f"{owner}.<code>" for owner in objects))
            yield FieldError(f"?{name}", "unknown", _("This parameter is not known."), known)
        elif fault := bound.fault(values):
            yield FieldError(f"?{name}", *fault)


def members(query: QueryDict, name: str) -> dict[str, list[str]]:
    """The values of an object parameter's members: `attr.size=xl` or, as OpenAPI, `attr[size]=xl`.

    `a.b.c` is the member `b.c` of `a`.
    """
    found: dict[str, list[str]] = {}
    for each in query:
        if _owner(each) == name:
            member = each[len(name) + 1 :].removesuffix("]")
            found.setdefault(member, []).extend(query.getlist(each))
    return found


def _owner(name: str) -> str | None:
    """The object that a parameter is a member of."""
    owner, mark, _member = name.replace("[", ".", 1).partition(".")
    return owner if mark else None


def choice(query: QueryDict, name: str, choices: Collection[str], default: str = "") -> str:
    """One of `choices`, or `default` when it is not given; raises Invalid for another word."""
    value = query.get(name)
    if value is None:
        return default
    if value not in choices:
        names = ", ".join(choices)
        detail = _("One of %(names)s is expected.") % {"names": names}
        raise refuse(name, "invalid_choice", detail, choices)
    return value


def whole_number(query: QueryDict, name: str, *, minimum: int = 0, maximum: int) -> int | None:
    """A whole number from `minimum` to `maximum`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    if raw is None:
        return None
    is_number = raw.isascii() and raw.isdigit() and len(raw) <= 20
    if not (is_number and minimum <= int(raw) <= maximum):
        bounds = {"minimum": minimum, "maximum": maximum}
        detail = _("A whole number from %(minimum)d to %(maximum)d is expected.") % bounds
        raise refuse(name, "out_of_range", detail)
    return int(raw)


def number(query: QueryDict, name: str, *, maximum: int) -> Decimal | None:
    """A decimal number from 0 to `maximum`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    value = None if raw is None else decimal(raw, maximum=maximum)
    if raw is not None and value is None:
        detail = _("A number from 0 to %(maximum)d is expected.") % {"maximum": maximum}
        raise refuse(name, "out_of_range", detail)
    return value


def decimal(text: str, *, maximum: int) -> Decimal | None:
    """A number from 0 to `maximum` of so few digits that PostgreSQL has it too, else None."""
    try:
        value = Decimal(text) if text.isascii() and len(text) <= MAX_DIGITS else Decimal("nan")
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    is_short = isinstance(exponent, int) and abs(exponent) <= MAX_DIGITS
    return value if is_short and 0 <= value <= maximum else None


def uuid(query: QueryDict, name: str) -> UUID | None:
    """An id, None when it is not given; raises Invalid."""
    raw = query.get(name)
    try:
        return None if raw is None else UUID(raw)
    except ValueError:
        raise refuse(name, "invalid", _("An id is expected.")) from None


def days(
    query: QueryDict, since: str, until: str
) -> tuple[datetime.date | None, datetime.date | None]:
    """The first and the last day of a range, each None when it is not given; raises Invalid."""
    first, last = _day(query, since), _day(query, until)
    if first and last and last < first:
        raise refuse(until, "out_of_range", _("A day not before the first one is expected."))
    return first, last


def _day(query: QueryDict, name: str) -> datetime.date | None:
    raw = query.get(name)
    if raw is None:
        return None
    try:
        day = datetime.date.fromisoformat(raw if _DAY.fullmatch(raw) else "")
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= LATEST:
        bounds = {"earliest": EARLIEST.isoformat(), "latest": LATEST.isoformat()}
        detail = _("A day from %(earliest)s to %(latest)s is expected.") % bounds
        raise refuse(name, "out_of_range", detail)
    return day


def boolean(query: QueryDict, name: str) -> bool | None:
    """`true` or `false`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    if raw not in {None, *BOOLEANS}:
        raise refuse(name, "invalid_choice", _("true or false is expected."), BOOLEANS)
    return None if raw is None else raw == "true"

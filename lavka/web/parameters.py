"""Query parameters read strictly: what does not fit its kind is 422 and names the parameter."""

from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from lavka.kernel.errors import FieldError, Invalid


def refuse(name: str, code: str, detail: str) -> Invalid:
    """The refusal of one query parameter."""
    return Invalid(errors=[FieldError(f"?{name}", code, detail)])


def require_known(query: QueryDict, handler: Callable[..., Any]) -> None:
    """Refuse what the handler's `@operation` does not name, as a body's unknown fields are.

    What an object parameter holds is for the handler to know.
    Raises: Invalid, also for U+0000, which PostgreSQL cannot store or compare.
    """
    known: frozenset[str] = getattr(handler, "query_parameters", frozenset())
    objects: frozenset[str] = getattr(handler, "query_objects", frozenset())
    errors = [
        FieldError(f"?{name}", "unknown", _("This parameter is not known."))
        for name in query
        if name not in known and _owner(name) not in objects
    ] + [
        FieldError(f"?{name}", "null_character", _("U+0000 is not accepted."))
        for name in query
        if any("\x00" in value for value in query.getlist(name))
    ]
    if errors:
        raise Invalid(errors=errors)


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
        raise refuse(name, "invalid_choice", _("One of %(names)s is expected.") % {"names": names})
    return value


def whole_number(query: QueryDict, name: str, *, maximum: int) -> int | None:
    """A whole number from 0 to `maximum`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 20 and int(raw) <= maximum):
        detail = _("A whole number from 0 to %(maximum)d is expected.") % {"maximum": maximum}
        raise refuse(name, "out_of_range", detail)
    return int(raw)


def number(query: QueryDict, name: str, *, maximum: int) -> Decimal | None:
    """A decimal number from 0 to `maximum`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    if raw is None:
        return None
    try:
        value = Decimal(raw) if raw.isascii() and len(raw) <= 40 else Decimal("nan")
    except InvalidOperation:
        value = Decimal("nan")
    if not (value.is_finite() and 0 <= value <= maximum):
        detail = _("A number from 0 to %(maximum)d is expected.") % {"maximum": maximum}
        raise refuse(name, "out_of_range", detail)
    return value


def uuid(query: QueryDict, name: str) -> UUID | None:
    """An id, None when it is not given; raises Invalid."""
    raw = query.get(name)
    try:
        return None if raw is None else UUID(raw)
    except ValueError:
        raise refuse(name, "invalid", _("An id is expected.")) from None


def boolean(query: QueryDict, name: str) -> bool | None:
    """`true` or `false`, None when it is not given; raises Invalid."""
    raw = query.get(name)
    if raw not in {None, "true", "false"}:
        raise refuse(name, "invalid_choice", _("true or false is expected."))
    return None if raw is None else raw == "true"

"""Cursor pages: `?limit=20&cursor=…` over a queryset in a total order, without OFFSET or COUNT."""

import base64
import binascii
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from lavka.kernel.errors import FieldError, Invalid
from lavka.kernel.reads import read_all, read_count
from lavka.web import json, parameters

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
COUNT_CAP = 10_000
# The longest one holds a product's place in a search, with the transactions under way then.
MAX_CURSOR = 6000


@dataclass(frozen=True)
class PageRequest:
    """What the client asked for: how many, after which row, and whether to count."""

    limit: int
    after: list[Any] | None
    wants_count: bool

    @classmethod
    def of(cls, query: QueryDict) -> "PageRequest":
        """Read `limit`, `cursor` and `count`; raises Invalid, naming the parameter."""
        limit = parameters.whole_number(query, "limit", minimum=1, maximum=MAX_LIMIT)
        wants_count = parameters.boolean(query, "count") or False
        cursor = query.get("cursor")
        return cls(limit or DEFAULT_LIMIT, _decode(cursor) if cursor else None, wants_count)


def page_of[Row: Model](
    rows: QuerySet[Row],
    *,
    order: Sequence[str],
    wanted: PageRequest,
    render: Callable[[Row], object],
) -> dict[str, object]:
    """One page `{"items": […], "next": cursor|null}` (and `count`, capped, when asked for).

    `order` names columns (a leading "-" for descending, `__` for joins); the last one must be
    unique and none may be null. Two queries at most, besides prefetches.
    Raises: Invalid, for a cursor of another order.
    """
    window = list(_window(rows, order, wanted))
    counted = rows.order_by()[: COUNT_CAP + 1].count() if wanted.wants_count else None
    return _answer(window, counted, order, wanted, render)


async def read_page[Row: Model](
    rows: QuerySet[Row],
    *,
    order: Sequence[str],
    wanted: PageRequest,
    render: Callable[[Row], object],
) -> dict[str, object]:
    """As `page_of`, on the event loop: for rows without prefetches (`lavka.kernel.reads`)."""
    window = await read_all(_window(rows, order, wanted))
    counted = await read_count(rows, most=COUNT_CAP + 1) if wanted.wants_count else None
    return _answer(window, counted, order, wanted, render)


def _window[Row: Model](
    rows: QuerySet[Row], order: Sequence[str], wanted: PageRequest
) -> QuerySet[Row]:
    """The page, and one row more when there is another page."""
    found = rows.order_by(*order)
    if wanted.after is not None:
        found = found.filter(_beyond(order, _typed(rows, order, wanted.after)))
    return found[: wanted.limit + 1]


def _answer[Row: Model](
    window: Sequence[Row],
    counted: int | None,
    order: Sequence[str],
    wanted: PageRequest,
    render: Callable[[Row], object],
) -> dict[str, object]:
    page = window[: wanted.limit]
    has_more = len(window) > wanted.limit
    answer: dict[str, object] = {
        "items": [render(row) for row in page],
        "next": encode_cursor([_value(page[-1], name) for name in order]) if has_more else None,
    }
    if counted is not None:
        answer["count"] = {"value": min(counted, COUNT_CAP), "exact": counted <= COUNT_CAP}
    return answer


def _beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows after `values` in a mixed-direction order: a or (a = and b) or (a = and b = and c)."""
    beyond, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        column = name.removeprefix("-")
        comparison = "lt" if name.startswith("-") else "gt"
        beyond |= equal & Q(**{f"{column}__{comparison}": value})
        equal &= Q(**{column: value})
    first, value = order[0], values[0]
    # Implied by the rest; it lets PostgreSQL start its index scan at the cursor.
    bound = Q(**{f"{first.removeprefix('-')}__{'lte' if first.startswith('-') else 'gte'}": value})
    return bound & beyond


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.removeprefix("-").split("__"):
        value = getattr(value, part)
    return value


def encode_cursor(values: Sequence[Any]) -> str:
    """What a client hands back as `cursor`; `PageRequest` reads it as JSON values again."""
    plain = [
        value.isoformat() if isinstance(value, datetime.datetime)
        else str(value) if isinstance(value, (UUID, Decimal))
        else value
        for value in values
    ]  # fmt: skip
    return base64.urlsafe_b64encode(json.dumps(plain)).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    if len(cursor) > MAX_CURSOR:
        raise bad_cursor()
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise bad_cursor() from None
    if not isinstance(values, list):
        raise bad_cursor()
    return values


def _typed(rows: QuerySet[Any], order: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """The cursor's values as their columns' Python types; a forged cursor is refused here."""
    if len(values) != len(order):
        raise bad_cursor()
    typed = []
    for name, value in zip(order, values, strict=True):
        column = name.removeprefix("-")
        annotation = rows.query.annotations.get(column)
        field = annotation.output_field if annotation is not None else _field(rows.model, column)
        try:
            if value is None or isinstance(value, (list, dict, bool)):
                raise ValueError("not a column's value")  # noqa: TRY301 - as Django's own
            prepared = field.to_python(value)
            field.run_validators(prepared)
            if isinstance(prepared, datetime.datetime) and prepared.tzinfo is None:
                raise ValueError("no instant")  # noqa: TRY301 - as Django's own
        except (ValueError, TypeError, OverflowError, ArithmeticError, ValidationError) as fault:
            raise bad_cursor() from fault
        typed.append(prepared)
    return typed


def _field(model: type[Model], path: str) -> Any:
    *joins, last = path.split("__")
    for join in joins:
        model = model._meta.get_field(join).related_model  # type: ignore[assignment]
    return model._meta.get_field(last)


def bad_cursor() -> Invalid:
    """The refusal of a cursor that this list has not given."""
    detail = _("This cursor is not one of this list's.")
    return Invalid(errors=[FieldError("?cursor", "invalid_cursor", detail)])

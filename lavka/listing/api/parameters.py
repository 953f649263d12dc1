"""How the shop window's query is read, and how its cursors are written."""

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter

from lavka.kernel.money import MAX_AMOUNT
from lavka.listing.properties import MAX_PROPERTIES, read_properties
from lavka.listing.selectors import ORDERS, After, Order
from lavka.listing.wanted import ANYTHING, Wanted
from lavka.web import parameters
from lavka.web.pages import bad_cursor, encode_cursor
from lavka.web.parameters import number_parameter, text_parameter

MAX_BRANDS = 50
MAX_SNAPSHOT = 4000
SNAPSHOT = re.compile(r"[0-9]{1,18}:[0-9]{1,18}:[0-9,]*")
ATTR = OpenApiParameter(
    "attr",
    {
        "type": "object",
        "maxProperties": 2 * MAX_PROPERTIES,  # both bounds of each
        "propertyNames": {"maxLength": parameters.MAX_TEXT},
        "additionalProperties": {"type": "string", "maxLength": parameters.MAX_TEXT},
    },
    style="deepObject",
    explode=True,
    description=(
        "Typed attributes by code, written `attr.color=red` or `attr[color]=red`. Repeated, any of "
        "the values will do; several codes must all fit, options on one and the same variant. "
        "Numbers and dates also take `attr.<code>.min` and `attr.<code>.max`. Text is compared in "
        "any letter case, by its first 64 characters."
    ),
)
FILTERS = [
    text_parameter("q", "Words in English or Russian, a SKU or a GTIN; slips are forgiven."),
    text_parameter("category", "A category's slug; all below it count too."),
    text_parameter("brand", "Brands' slugs: any of them.", max_times=MAX_BRANDS),
    number_parameter(
        "price_min", "In minor units (cents), of the price on the card.", maximum=MAX_AMOUNT
    ),
    number_parameter(
        "price_max", "In minor units (cents), of the price on the card.", maximum=MAX_AMOUNT
    ),
    OpenApiParameter(
        "rating_min",
        {"type": "number", "minimum": 0, "maximum": 5},
        description="The least average rating; leaves out what nobody has rated.",
    ),
    OpenApiParameter(
        "in_stock",
        str,
        enum=["true", "false"],
        description="`true`: any variant is; with options chosen, such a one. `false`: none is.",
    ),
    ATTR,
]
SORT = OpenApiParameter(
    "sort",
    str,
    enum=list(ORDERS),
    description="`relevance` with `q`, else `newest`; without `q` the two are the same.",
)

NARROWING_NOTHING = frozenset({"cursor", "limit", "count", "sort"})


def read_text(query: QueryDict) -> str:
    """What is searched for."""
    return query.get("q", "").strip()


async def read_wanted(query: QueryDict) -> Wanted:
    """What the query asks for; raises Invalid, naming the parameter."""
    if query.keys() <= NARROWING_NOTHING:
        return ANYTHING
    return Wanted(
        text=read_text(query),
        category=query.get("category", ""),
        brands=tuple(dict.fromkeys(query.getlist("brand"))),
        price_min=parameters.whole_number(query, "price_min", maximum=MAX_AMOUNT),
        price_max=parameters.whole_number(query, "price_max", maximum=MAX_AMOUNT),
        rating_min=parameters.number(query, "rating_min", maximum=5),
        in_stock=parameters.boolean(query, "in_stock"),
        properties=await read_properties(parameters.members(query, "attr")),
    )


def read_sort(query: QueryDict, wanted: Wanted) -> str:
    """A key of `ORDERS`; raises Invalid."""
    sort = parameters.choice(query, "sort", ORDERS, "relevance")
    return "newest" if sort == "relevance" and not wanted.text else sort


def cursor_of(sort: str, after: After) -> str:
    """The cursor that leads on from `after`; it fits no other order."""
    at = [] if ORDERS[sort].is_by_id else [after.value, after.snapshot]
    return encode_cursor([sort, after.product_id, after.is_loose, *at])


def after_of(sort: str, cursor: list[Any] | None) -> After | None:
    """Where the cursor leads on from; raises Invalid for a forged one or one of another order."""
    if cursor is None:
        return None
    match cursor:
        case [str(own), str(product_id), (None | bool()) as is_loose, *at] if own == sort:
            pass
        case _:
            raise bad_cursor()
    try:
        value, snapshot = _read_at(ORDERS[sort], at)
        return After(product_id=UUID(product_id), value=value, snapshot=snapshot, is_loose=is_loose)
    except (ValueError, InvalidOperation) as fault:
        raise bad_cursor() from fault


def _read_at(order: Order, at: list[Any]) -> tuple[Any, str | None]:
    if order.is_by_id and not at:
        return None, None
    value, snapshot = at
    return _typed(order.kind, value), _snapshot(snapshot)


def _typed(kind: type, value: Any) -> Any:
    if kind is Decimal and isinstance(value, str):
        stars = parameters.decimal(value, maximum=5)
        if stars is not None:
            return stars
    if kind in {int, float} and isinstance(value, (int, float)) and not isinstance(value, bool):
        number: float = kind(value)
        if math.isfinite(number) and abs(number) < 2**63:
            return number
    raise ValueError("not a column's value")


def _snapshot(text: Any) -> str:
    """PostgreSQL's form: `xmin:xmax:` and the numbers between them that were under way."""
    if not isinstance(text, str) or len(text) > MAX_SNAPSHOT or not SNAPSHOT.fullmatch(text):
        raise ValueError("not a snapshot")
    low, high, under_way = text.split(":")
    numbers = [int(low), *(int(each) for each in under_way.split(",") if under_way), int(high)]
    if low == "0" or numbers != sorted(numbers) or "" in under_way.split(",")[1:]:
        raise ValueError("not a snapshot")
    return text

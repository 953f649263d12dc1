"""How the shop window is read: one statement each, whose answer is ready-made JSON."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Sum, Value

from lavka.accounts.models import User
from lavka.catalog.models import Product
from lavka.kernel import database
from lavka.kernel.conf import options
from lavka.listing.models import ListedProduct, ShelfPlace
from lavka.listing.rules import WHOLE_SHOP
from lavka.listing.search import CERTAIN, MOST, SCORE, search_tables
from lavka.listing.wanted import EVERYWHERE, Wanted, conditions_anywhere, conditions_of
from lavka.reviews.models import STARS, ProductRating

COUNT_CAP = 10_000
_LISTED = "listing_listedproduct AS listed"
# A product that moved since the walk began may have been shown at its old place, and is not shown
# again. Numbers from before a restored dump are beyond what this cluster has counted to.
STOOD_SO = (
    "(pg_visible_in_snapshot({row}.moved_by, %(snapshot)s::pg_snapshot)"
    " OR {row}.moved_by >= pg_snapshot_xmax(pg_current_snapshot()))"
)

# In a query of its own it is asked for once, not for each row.
SNAPSHOT = "SELECT pg_current_snapshot()::text"


@dataclass(frozen=True, kw_only=True)
class Order:
    """A total order: by `column`, then by id, both in one direction."""

    column: str
    kind: type
    is_descending: bool = True

    @property
    def is_by_id(self) -> bool:
        """Whether a product keeps its place for good."""
        return self.column == "product_id"


ORDERS = {
    "relevance": Order(column="score", kind=float),
    "newest": Order(column="product_id", kind=UUID),
    "price": Order(column="price", kind=int, is_descending=False),
    "-price": Order(column="price", kind=int),
    "rating": Order(column="stars", kind=Decimal),
    "popularity": Order(column="reviews", kind=int),
}


@dataclass(frozen=True, kw_only=True)
class After:
    """The last row of the page before, and what the walk's first page saw.

    `snapshot` is PostgreSQL's; `is_loose` is how a search was answered. In the order of ids, which
    never change, there is neither a `value` nor a `snapshot`.
    """

    product_id: UUID | str
    value: Any = None
    snapshot: str | None = None
    is_loose: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Cards as JSON texts, and the row after which the next page begins."""

    cards: Sequence[str]
    after: After | None


async def page_of_cards(wanted: Wanted, *, sort: str, limit: int, after: After | None) -> Page:
    """One page of cards in the order `sort` (a key of `ORDERS`): 1 query."""
    statement = _page_statement(wanted.shape(), sort, after is not None, limit + 1)
    parameters = wanted.parameters() | {"most": MOST, "is_loose": None}
    if after is not None:
        parameters |= {
            "after": after.value,
            "after_id": after.product_id,
            "is_loose": after.is_loose,
            "snapshot": after.snapshot,
        }
    # A walk reads a page in the order of an index, whatever else is asked for.
    rows = await database.fetch_all(statement, parameters, is_short=not wanted.text)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        cards=[row[0] for row in rows[:limit]],
        after=None
        if last is None
        else After(
            product_id=last[1],
            value=last[2],
            snapshot=last[3] if after is None else after.snapshot,
            is_loose=last[4],
        ),
    )


async def number_of_cards(wanted: Wanted) -> int:
    """How many products fit, counted up to one more than `COUNT_CAP`: 1 query."""
    parameters = wanted.parameters() | {"most": MOST, "is_loose": None}
    row = await database.fetch_one(
        _count_statement(wanted.shape()), parameters | {"cap": COUNT_CAP + 1}
    )
    return int(row[0]) if row else 0


def _beyond(row: str, order: Order, has_cursor: bool) -> str:
    if not has_cursor:
        return ""
    sign = "<" if order.is_descending else ">"
    if order.is_by_id:
        return f"AND {row}.product_id {sign} %(after_id)s"
    return (
        f"AND ({row}.{order.column}, {row}.product_id) {sign} (%(after)s, %(after_id)s)"
        f" AND {STOOD_SO.format(row=row)}"
    )


def _sorted(row: str, order: Order) -> str:
    direction = "DESC" if order.is_descending else "ASC"
    columns = dict.fromkeys([order.column, "product_id"])
    return ", ".join(f"{row}.{column} {direction}" for column in columns)


@lru_cache(1024)
def _page_statement(wanted: Wanted, sort: str, has_cursor: bool, rows: int) -> str:
    """Composed once for each shape of a question.

    How many `rows` is part of it: without knowing that, PostgreSQL would plan for a tenth of the
    shop, find that plan dear, and make a new one at every execution.
    """
    compose = _search if wanted.text else _walk
    return compose(wanted, ORDERS[sort], has_cursor, rows)


def _walk(wanted: Wanted, order: Order, has_cursor: bool, rows: int) -> str:
    conditions = conditions_of(wanted)
    if conditions.shelf == EVERYWHERE and order.is_by_id:
        # The products lie in this order themselves.
        source, row, stands = _LISTED, "listed", "true"
    else:
        source = f"listing_shelfplace AS place JOIN {_LISTED} USING (product_id)"
        row, stands = "place", f"place.shelf_id = {conditions.shelf}"
    told = "NULL, NULL" if order.is_by_id else f"{row}.{order.column}, ({SNAPSHOT})"
    return f"""
SELECT listed.card, {row}.product_id::text, {told}, NULL
FROM {source} WHERE {stands} AND {conditions.on(row)} {_beyond(row, order, has_cursor)}
ORDER BY {_sorted(row, order)} LIMIT {rows}"""  # noqa: S608 - joined from constants


def _search(wanted: Wanted, order: Order, has_cursor: bool, rows: int) -> str:
    own = f"listed.{order.column}"
    rank, certain = (SCORE, CERTAIN) if order.column == "score" else (own, own)
    tables = search_tables(
        conditions_anywhere(wanted).on("listed"),
        columns=f", {rank} AS rank, listed.moved_by",
        columns_of_numbered=f", {certain} AS rank, listed.moved_by",
    )
    ranked = replace(order, column="product_id" if order.is_by_id else "rank")
    told = "NULL, NULL" if order.is_by_id else f"page.rank, ({SNAPSHOT})"
    # Cards are fetched for the page alone, not for all that was found.
    return f"""
WITH {tables}, page AS (
    SELECT product_id, rank FROM found WHERE true {_beyond("found", ranked, has_cursor)}
    ORDER BY {_sorted("found", ranked)} LIMIT {rows}
)
SELECT listed.card, page.product_id::text, {told}, few.is_loose
FROM page JOIN listing_listedproduct AS listed USING (product_id), few
ORDER BY {_sorted("page", ranked)}
"""  # noqa: S608 - joined from constants


@lru_cache(1024)
def _count_statement(wanted: Wanted) -> str:
    if wanted.text:
        tables = search_tables(conditions_anywhere(wanted).on("listed"))
        return f"WITH {tables} SELECT count(*) FROM (SELECT FROM found LIMIT %(cap)s) AS counted"  # noqa: S608
    conditions = conditions_of(wanted)
    joined = "JOIN listing_listedproduct AS listed USING (product_id)" if conditions.listed else ""
    return f"""
SELECT count(*) FROM (
    SELECT FROM listing_shelfplace AS place {joined}
    WHERE place.shelf_id = {conditions.shelf} AND {conditions.on("place")} LIMIT %(cap)s
) AS counted"""  # noqa: S608 - joined from constants


async def product_document(name: str) -> bytes | None:
    """`ProductOutput` of the product with this slug or id, None if nobody may see it: 1 query.

    What it says was made ready when the product changed; whether it is shown, its prices and its
    stock are as they are now.
    """
    parameters: dict[str, Any] = {"currency": options.currency}
    try:
        statement, parameters["name"] = _PRODUCT_BY_ID, UUID(name)
    except ValueError:
        statement, parameters["name"] = _PRODUCT_BY_SLUG, name
    row = await database.fetch_one(statement, parameters, is_short=True)
    if row is None:
        return None
    page, live = row
    return f"{page[:-1]},{live[1:]}".encode()


_PRODUCT = """
SELECT listed.page, live.parts
FROM catalog_product AS product
JOIN listing_listedproduct AS listed ON listed.product_id = product.id
CROSS JOIN LATERAL (
    SELECT format(
        '{{"price":%%s,"compare_at_price":%%s,"in_stock":%%s,"variant_count":%%s,"variants":[%%s]}}',
        (array_agg(price ORDER BY price_amount, position, id))[1],
        coalesce((array_agg(before ORDER BY price_amount, position, id))[1], 'null'),
        CASE WHEN bool_or(is_in_stock) THEN 'true' ELSE 'false' END,
        count(*),
        string_agg(format(
            '{{"id":"%%s","sku":%%s,"gtin":%%s,"options":%%s,"price":%%s,"compare_at_price":%%s,'
            '"in_stock":%%s,"weight_grams":%%s,"image_ids":%%s}}',
            id, to_json(sku), coalesce(to_json(nullif(gtin, ''))::text, 'null'), options, price,
            coalesce(before, 'null'), CASE WHEN is_in_stock THEN 'true' ELSE 'false' END,
            coalesce(weight_grams::text, 'null'),
            CASE jsonb_typeof(listed.variant_images) WHEN 'array' THEN listed.variant_images
                ELSE coalesce(listed.variant_images -> id::text, listed.variant_images -> '', '[]')
                END), ',' ORDER BY position, id)
    ) AS parts, count(*) AS variants
    FROM (
        SELECT *, format('{{"amount":%%s,"currency":"%%s"}}', price_amount, %(currency)s::text)
                AS price,
            CASE WHEN compare_at_amount IS NOT NULL THEN
                format('{{"amount":%%s,"currency":"%%s"}}', compare_at_amount, %(currency)s::text)
                END AS before
        FROM catalog_variant WHERE product_id = product.id
    ) AS variant
) AS live
WHERE product.{column} = %(name)s AND product.status = 'published' AND live.variants > 0
    AND (product.publish_at IS NULL OR product.publish_at <= now())
    AND (product.unpublish_at IS NULL OR product.unpublish_at > now())
"""
_PRODUCT_BY_ID = _PRODUCT.format(column="id")
_PRODUCT_BY_SLUG = _PRODUCT.format(column="slug")


async def moved_to(slug: str) -> str | None:
    """What the product that was called `slug` is called now, if customers see it: 1 query."""
    row = await database.fetch_one(_MOVED, {"slug": slug}, is_short=True)
    return row[0] if row else None


_MOVED = """
SELECT product.slug FROM catalog_slughistory AS past
JOIN catalog_product AS product ON product.id = past.target
WHERE past.kind = 'product' AND past.slug = %(slug)s AND product.status = 'published'
    AND (product.publish_at IS NULL OR product.publish_at <= now())
    AND (product.unpublish_at IS NULL OR product.unpublish_at > now())
"""


def newest_cards(at: datetime.datetime, *, count: int) -> list[dict[str, Any]]:
    """The cards of the newest products that customers see at `at`: 2 queries."""
    shown = ShelfPlace.objects.filter(
        Q(publish_at=None) | Q(publish_at__lte=at),
        Q(unpublish_at=None) | Q(unpublish_at__gt=at),
        shelf_id=WHOLE_SHOP,
    )
    ids = list(shown.order_by("-product_id").values_list("product_id", flat=True)[:count])
    cards = dict(ListedProduct.objects.filter(pk__in=ids).values_list("pk", "card"))
    return [json.loads(cards[product_id]) for product_id in ids if product_id in cards]


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """How much is in the shop; the average is over all reviews, None without any."""

    products: int
    reviews: int
    average_rating: Decimal | None
    customers: int


def statistics(at: datetime.datetime) -> Statistics:
    """Count the published products, their reviews and the customers: 3 queries."""
    stars = sum((F(f"stars_{each}") * each for each in STARS), start=Value(0))
    rated = ProductRating.objects.aggregate(reviews=Sum("count"), stars=Sum(stars))
    reviews = rated["reviews"] or 0
    average = Decimal(rated["stars"]) / reviews if reviews else None
    return Statistics(
        products=Product.objects.published(at).count(),
        reviews=reviews,
        average_rating=None if average is None else round(average, 2),
        customers=User.objects.filter(is_staff=False, is_active=True).count(),
    )

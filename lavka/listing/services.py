"""How the listing follows the catalogue: batches of products, each made right in one statement."""

import datetime
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import batched
from pathlib import Path
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from lavka.catalog.models import Product
from lavka.kernel import log
from lavka.kernel.conf import options
from lavka.kernel.models import DriftReport
from lavka.listing.models import ListedProduct, StaleProduct
from lavka.listing.rules import WHOLE_SHOP
from lavka.web import hot

logger = logging.getLogger(__name__)

BATCH = 1000
# A difference younger than this is an event on its way, not a drift.
LAG = datetime.timedelta(minutes=10)
_DRAINING = 7_305_931_101


def mark_stale(*, product_ids: Sequence[UUID]) -> None:
    """Remember that these products' rows are to be refreshed.

    Waits for a refresh of the same products that is under way: it may have read what was before.
    Locks: the marks, in the order of ids, until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [list(product_ids)])


def refresh_stale() -> int:
    """Refresh what is marked, in batches, while this is the only one that does; returns how many.

    One at a time, so that marks which come in meanwhile gather to the next batch: many events of
    a product are one refresh. Who finds another at it may leave: that one looks once more after
    it has let go.
    """
    refreshed = 0
    while StaleProduct.objects.exists():
        taken = _refresh_marked()
        if not taken:
            break
        refreshed += taken
    return refreshed


@transaction.atomic
def refresh_products(*, product_ids: Sequence[UUID]) -> set[UUID]:
    """Make the rows of these products right now; returns the ids of those that were not.

    The marks are taken before the sources are read, so of two refreshes of a product the later
    one reads the later state: an older snapshot never overwrites a newer one.
    Locks: the products' marks, in the order of ids.
    """
    ids = sorted(product_ids)
    mark_stale(product_ids=ids)
    return _refresh_held(ids)


def rebuild_listing() -> int:
    """Refresh every product, and whatever is listed without one; returns how many were checked."""
    checked = 0
    for ids in _all_ids():
        refresh_products(product_ids=ids)
        checked += len(ids)
    recount_words()
    with connection.cursor() as cursor:
        for statement in _SETTLE:
            cursor.execute(statement)
    return checked


def reconcile_listing(*, at: datetime.datetime, is_mending: bool = True) -> DriftReport:
    """Compare every product's rows with their sources, and report what had drifted.

    Mends it, unless told otherwise. A product with an event younger than `LAG` is no drift, nor
    is one whose window has closed: its rows are put away before. Runs beside the shop: each batch
    is a transaction of its own.
    """
    closed = ListedProduct.objects.filter(unpublish_at__lte=at).values_list("pk", flat=True)
    for some in batched(list(closed), BATCH):
        refresh_products(product_ids=some)
    checked, differing = 0, set[UUID]()
    for ids in _all_ids():
        checked += len(ids)
        with transaction.atomic():
            differing |= refresh_products(product_ids=ids)
            transaction.set_rollback(not is_mending)
    with transaction.atomic():
        differing |= _clear_strays()
        transaction.set_rollback(not is_mending)
    drifted = sorted(differing - log.told_since(at - LAG, differing))
    if is_mending:
        recount_words()
    report = DriftReport.objects.create(
        subject="listing",
        checked=checked,
        drifted=len(drifted),
        details={"products": [str(product_id) for product_id in drifted[:100]]},
    )
    if report.drifted:
        logger.warning("listing had drifted", extra={"drifted": report.drifted})
    return report


@transaction.atomic
def recount_words() -> None:
    """Count anew in how many products each word occurs."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT_WORDS)


@transaction.atomic
def _refresh_marked() -> int:
    """One batch of marked products; 0 when another refreshes, or when nothing is marked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_DRAINING])
        if not cursor.fetchone()[0]:
            return 0
    marked = StaleProduct.objects.select_for_update(skip_locked=True).order_by("marked_at")
    ids = list(marked.values_list("pk", flat=True)[:BATCH])
    if ids:
        _refresh_held(ids)
    return len(ids)


def _refresh_held(ids: Sequence[UUID]) -> set[UUID]:
    """Refresh products whose marks the caller holds, and take the marks away."""
    with connection.cursor() as cursor:
        cursor.execute(
            _refresh_statement(),
            {
                "ids": list(ids),
                "currency": options.currency,
                "media": default_storage.url("x").removesuffix("x"),
                "whole_shop": WHOLE_SHOP,
            },
        )
        changed = {product_id for (product_id,) in cursor.fetchall()}
    if changed:
        hot.invalidate()
    StaleProduct.objects.filter(pk__in=ids).delete()
    return changed


def _clear_strays() -> set[UUID]:
    """Take away places on shelves where no listed product says it stands; returns whose."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR_STRAYS, [WHOLE_SHOP])
        return {product_id for (product_id,) in cursor.fetchall()}


def _all_ids() -> Iterator[Sequence[UUID]]:
    """Batches of every product's id, then of what is listed without a product."""
    products: QuerySet[Product, UUID] = Product.objects.order_by("pk").values_list("pk", flat=True)
    yield from batched(products.iterator(chunk_size=BATCH), BATCH)
    orphans = ListedProduct.objects.filter(~Exists(Product.objects.filter(pk=OuterRef("pk"))))
    yield from batched(list(orphans.values_list("pk", flat=True)), BATCH)


@cache
def _refresh_statement() -> str:
    return Path(__file__).with_name("refresh.sql").read_text()


_MARK = """
INSERT INTO listing_staleproduct (product_id)
SELECT DISTINCT id FROM unnest(%s::uuid[]) AS id ORDER BY id
ON CONFLICT (product_id) DO UPDATE SET marked_at = listing_staleproduct.marked_at
"""

_CLEAR_STRAYS = """
DELETE FROM listing_shelfplace AS place WHERE NOT EXISTS (
    SELECT FROM listing_listedproduct AS listed WHERE listed.product_id = place.product_id
        AND place.shelf_id = ANY(listed.categories || listed.brand_id || %s)
) RETURNING product_id
"""

# New rows wait in front of an inverted index; after many of them it pays to sort them in at once.
_SETTLE = (
    """
    SELECT gin_clean_pending_list('listed_words'), gin_clean_pending_list('listed_facets'),
        gin_clean_pending_list('listed_categories')
    """,
    """
    ANALYZE listing_listedproduct, listing_shelfplace, listing_listednumber, listing_word
    """,
)

_RECOUNT_WORDS = """
WITH counted AS MATERIALIZED (
    SELECT word AS lexeme, ndoc AS products FROM ts_stat('SELECT words FROM listing_listedproduct')
), forgotten AS (
    DELETE FROM listing_word AS word
    WHERE NOT EXISTS (SELECT FROM counted WHERE counted.lexeme = word.lexeme)
)
INSERT INTO listing_word AS word (lexeme, products) SELECT * FROM counted ORDER BY lexeme
ON CONFLICT (lexeme) DO UPDATE SET products = excluded.products
WHERE word.products <> excluded.products
"""

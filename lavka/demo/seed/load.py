"""Loads the large shop with COPY, in one transaction, and takes it away again."""

# ruff: noqa: S608 - the names of tables come from the models

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import batched

from django.db import connection, transaction
from django.utils.text import slugify

from lavka.accounts.models import Address, Session, User
from lavka.catalog.models import Brand, Product, ProductImage, Variant
from lavka.demo import goods
from lavka.demo.seed.families import families_on
from lavka.demo.seed.ids import Kind, like_seeded
from lavka.demo.seed.people import customer_rows
from lavka.demo.seed.rows import Plan, Rows
from lavka.demo.shelves import ensure_shelves
from lavka.imports.models import ImportedPicture
from lavka.reviews import ratings
from lavka.reviews.models import CountedReview, HelpfulVote, ProductRating, Review

_CUSTOMER = User._meta.db_table
_PRODUCT, _VARIANT = Product._meta.db_table, Variant._meta.db_table
_REVIEW, _VOTE = Review._meta.db_table, HelpfulVote._meta.db_table
_TOUCHED = (_CUSTOMER, _PRODUCT, _VARIANT, _REVIEW, _VOTE, CountedReview._meta.db_table,
            ProductRating._meta.db_table, Brand._meta.db_table)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Found:
    """Seeded rows in the database."""

    products: int
    reviews: int


def seeded_rows() -> Found:
    """What an earlier seed left here."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT count(*) FROM {_PRODUCT} WHERE id::text LIKE %s),"
            f" (SELECT count(*) FROM {_REVIEW} WHERE id::text LIKE %s)",
            [like_seeded(Kind.PRODUCT), like_seeded(Kind.REVIEW)],
        )
        products, reviews = cursor.fetchone()
    return Found(products=products, reviews=reviews)


@transaction.atomic
def load_shop(plan: Plan, *, password: str, advance: Callable[[int], None]) -> None:
    """Write the planned shop, all or nothing; `advance` hears of each chunk's products.

    `password` is a hash that all seeded customers share. A bulk load of this size publishes no
    events: ratings are counted here, and there are no pictures to make thumbnails of.
    Locks: the ratings, until the transaction ends.
    """
    families, shares = families_on(ensure_shelves())
    brands = _ensure_brands()
    with connection.cursor() as cursor:
        # Foreign keys are checked statement by statement: a queue of millions would fill memory.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    _copy(_CUSTOMER, _CUSTOMER_COLUMNS, customer_rows(plan.customers, password))
    for chunk in Rows(plan, families, shares, brands):
        _copy(_PRODUCT, _PRODUCT_COLUMNS, chunk.products)
        _copy(_VARIANT, _VARIANT_COLUMNS, chunk.variants)
        _copy(_REVIEW, _REVIEW_COLUMNS, chunk.reviews)
        _copy(_VOTE, _VOTE_COLUMNS, chunk.votes)
        advance(chunk.count)
    ratings.rebuild_ratings()


@transaction.atomic
def remove_shop() -> None:
    """Take away seeded products and customers with all that hangs on them, whoever wrote it.

    Raises: IntegrityError, when another table refers to them; then nothing is removed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PICK_PRODUCTS, [like_seeded(Kind.PRODUCT)])
        cursor.execute(_PICK_CUSTOMERS, [like_seeded(Kind.CUSTOMER)])
        for statement in (_PICK_REVIEWS, _LOOK_AT_PICKED, *_REMOVALS):
            cursor.execute(statement)


def analyze() -> None:
    """Tell the planner about the new rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_TOUCHED)}")


def _copy(table: str, columns: str, lines: Iterable[str]) -> None:
    """Send lines in PostgreSQL's text format; the words they are made of need no escaping."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for batch in batched(lines, 2000):
            copy.write("".join(batch))


def _ensure_brands() -> list[tuple[str, str]]:
    """Some hundred invented makers, as ids with names."""
    words = goods.read("seed")
    names = [f"{start}{end}" for end in words["brand_ends"] for start in words["brand_starts"]]
    Brand.objects.bulk_create(
        (Brand(slug=slugify(name), name=name) for name in names), ignore_conflicts=True
    )
    found = Brand.objects.in_bulk([slugify(name) for name in names], field_name="slug")
    return [(str(found[slugify(name)].pk), name) for name in names]


_CUSTOMER_COLUMNS = (
    "id, email, name, password, is_superuser, is_staff, is_active, email_verified_at, joined_at"
)
_PRODUCT_COLUMNS = (
    "id, slug, name, description, attributes, status, seo_title, seo_description,"
    " created_at, updated_at, brand_id, category_id, product_type_id"
)
_VARIANT_COLUMNS = (
    "id, product_id, sku, gtin, options, price_amount, compare_at_amount, track_inventory,"
    " weight_grams, position"
)
_REVIEW_COLUMNS = (
    "id, product_id, author_id, rating, title, text, status, helpful, created_at, updated_at"
)
_VOTE_COLUMNS = "id, review_id, voter_id, created_at"

_PICK_PRODUCTS = f"""
CREATE TEMPORARY TABLE seeded_product ON COMMIT DROP AS
    SELECT id FROM {_PRODUCT} WHERE id::text LIKE %s
"""
_PICK_CUSTOMERS = f"""
CREATE TEMPORARY TABLE seeded_customer ON COMMIT DROP AS
    SELECT id FROM {_CUSTOMER} WHERE id::text LIKE %s
"""
_PICK_REVIEWS = f"""
CREATE TEMPORARY TABLE seeded_review ON COMMIT DROP AS
    SELECT review.id FROM {_REVIEW} AS review
        JOIN seeded_product ON product_id = seeded_product.id
    UNION
    SELECT review.id FROM {_REVIEW} AS review
        JOIN seeded_customer ON author_id = seeded_customer.id
"""
_LOOK_AT_PICKED = "ANALYZE seeded_product, seeded_customer, seeded_review"


def _removal(table: str, column: str, of: str) -> str:
    # A join, since `IN (SELECT …)` scans the list for each row once it is too long to be hashed.
    return f"DELETE FROM {table} USING seeded_{of} AS picked WHERE {table}.{column} = picked.id"


_REMOVALS = (
    _removal(_VOTE, "review_id", "review"),
    _removal(_VOTE, "voter_id", "customer"),
    _removal(CountedReview._meta.db_table, "product_id", "product"),
    _removal(CountedReview._meta.db_table, "review_id", "review"),
    _removal(ProductRating._meta.db_table, "product_id", "product"),
    _removal(_REVIEW, "id", "review"),
    _removal(ImportedPicture._meta.db_table, "product_id", "product"),
    _removal(ProductImage._meta.db_table, "product_id", "product"),
    _removal(_VARIANT, "product_id", "product"),
    _removal(_PRODUCT, "id", "product"),
    _removal(Session._meta.db_table, "user_id", "customer"),
    _removal(Address._meta.db_table, "user_id", "customer"),
    _removal(_CUSTOMER, "id", "customer"),
)

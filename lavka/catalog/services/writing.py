"""How a row is written so that what the database refuses becomes an error with a name."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, ProtectedError
from psycopg import errors as postgres

from lavka.catalog.errors import InUse, ReferenceGone, Taken
from lavka.catalog.models import Brand, Category, Product, SlugHistory
from lavka.catalog.rules import MAX_SLUG, slug_from

# The unique constraints that a caller can run into, and the field each one is about.
_UNIQUE = {
    "catalog_product_slug_key": "slug",
    "catalog_category_slug_key": "slug",
    "catalog_brand_slug_key": "slug",
    "catalog_attribute_code_key": "code",
    "catalog_producttype_code_key": "code",
    "catalog_variant_sku_key": "sku",
    "variant_gtin_once": "gtin",
    "variant_options_once": "options",
    "choice_once_per_attribute": "choices",
}
_KINDS: dict[type[Product | Category | Brand], str] = {
    Product: SlugHistory.Kind.PRODUCT,
    Category: SlugHistory.Kind.CATEGORY,
    Brand: SlugHistory.Kind.BRAND,
}
_SCHEMA_LOCK = 7_305_931_001


@contextmanager
def refusals_named() -> Iterator[None]:
    """Write inside a savepoint, foreign keys checked at its end.

    Raises: Taken; InUse, for a deleted row that others need; ReferenceGone, for a missing one.
    """
    try:
        with transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as fault:
        raise _named(fault) from fault


def _named(fault: IntegrityError) -> Exception:
    if isinstance(fault, ProtectedError):
        return InUse()
    cause = fault.__cause__
    if isinstance(cause, postgres.UniqueViolation):
        field = _UNIQUE.get(cause.diag.constraint_name or "")
        return Taken.at(f"#/{field}") if field else fault
    if isinstance(cause, postgres.CheckViolation):
        is_image_gone = cause.diag.constraint_name == "variant_image_of_its_product"
        return ReferenceGone() if is_image_gone else fault
    if isinstance(cause, postgres.ForeignKeyViolation):
        # PostgreSQL names the table that was written to, and the detail says from which side.
        is_deletion = "still referenced" in (cause.diag.message_detail or "")
        return InUse() if is_deletion else ReferenceGone()
    return fault


def hold_schema() -> None:
    """Keep choices and type attributes from being removed until the transaction ends.

    Locks: the schema, shared: writers of products do not wait for each other.
    """
    _lock("pg_advisory_xact_lock_shared")


def take_schema() -> None:
    """Wait until no product is being written, before something is removed from the schema.

    Locks: the schema.
    """
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_SCHEMA_LOCK])


def insert_with_slug(row: Product | Category | Brand) -> None:
    """Insert a row; without a slug it gets a free one made from its name.

    Raises: Taken, for a slug that the caller chose.
    """
    if row.slug:
        with refusals_named():
            row.save(force_insert=True)
        return
    stem = _stem_of(row)
    for attempt in range(4):
        # The last attempt cannot collide, however many others try the same name right now.
        row.slug = free_slug(row) if attempt < 3 else f"{stem}-{secrets.token_hex(6)}"
        try:
            with refusals_named():
                row.save(force_insert=True)
        except Taken:
            continue
        return


def free_slug(row: Product | Category | Brand) -> str:
    """A slug from the row's name that nobody has or had; another writer may still be faster."""
    stem = _stem_of(row)
    model: type[Model] = type(row)
    rows = model._default_manager.filter(slug__startswith=stem)
    past = SlugHistory.objects.filter(kind=_KINDS[type(row)], slug__startswith=stem)
    taken = {*rows.values_list("slug", flat=True), *past.values_list("slug", flat=True)}
    if stem not in taken:
        return stem
    return next(f"{stem}-{n}" for n in range(2, len(taken) + 3) if f"{stem}-{n}" not in taken)


def _stem_of(row: Product | Category | Brand) -> str:
    return slug_from(row.name)[: MAX_SLUG - 20] or _KINDS[type(row)]

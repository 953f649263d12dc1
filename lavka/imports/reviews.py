"""Reviews from a file: rows of several shapes read into one, saved in batches."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.dateparse import parse_datetime

from lavka.accounts.models import User
from lavka.catalog import services as catalog
from lavka.catalog.models import Category, Product, ProductType, Variant
from lavka.catalog.rules import slug_from
from lavka.imports.tables import Record, Refusal, Unusable, header_of, records
from lavka.kernel import events
from lavka.kernel.conf import options as shop
from lavka.reviews.models import Review
from lavka.reviews.services import review_changed

BATCH = 500
GENERIC = ("product", "author_email", "rating")
CLOTHING = ("Clothing ID", "Age", "Title", "Review Text", "Rating", "Class Name")
_TYPE = "imported_reviewed"


@dataclass(frozen=True, kw_only=True)
class ReviewDraft:
    """A review as the file says it; `product` is a slug or a SKU."""

    line: int
    product: str
    product_name: str
    shelves: Sequence[str]
    email: str
    rating: int
    title: str
    text: str
    created_at: datetime.datetime


type Profile = Callable[[Record, datetime.datetime], ReviewDraft | Refusal]


def profile_of(path: Path) -> Profile:
    """How this file's header is read; raises Unusable for an unknown one."""
    header = set(header_of(path))
    if header.issuperset(GENERIC):
        return _generic
    if header.issuperset(CLOTHING):
        return _clothing
    raise Unusable(
        "This is no review file: the columns product, author_email and rating are needed; title, "
        "text and created_at are read when they are there."
    )


def batches(
    path: Path, profile: Profile, at: datetime.datetime
) -> Iterator[list[ReviewDraft | Refusal]]:
    """The file's rows, `BATCH` at a time; `at` dates reviews that have no date."""
    batch: list[ReviewDraft | Refusal] = []
    for row in records(path):
        batch.append(row if isinstance(row, Refusal) else profile(row, at))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@transaction.atomic
def save_reviews(
    drafts: Sequence[ReviewDraft], *, creates_products: bool
) -> tuple[int, list[Refusal]]:
    """Save the reviews whose author has none of the product; returns how many, and refusals.

    Authors are created when they are missing and cannot log in until they reset a password. Where
    the shop holds new reviews for approval, it holds these too.
    Emits: ReviewChanged for each, since a bulk write sends no signals.
    """
    products = _products(drafts, creates_products=creates_products)
    known = [draft for draft in drafts if draft.product in products]
    authors = _authors({draft.email for draft in known})
    pairs = {(authors[draft.email], products[draft.product]): draft for draft in reversed(known)}
    there = set(
        Review.objects.filter(
            author__in={author for author, _ in pairs}, product__in={p for _, p in pairs}
        ).values_list("author", "product")
    )
    needs_approval = shop.reviews_need_approval
    status = Review.Status.PENDING if needs_approval else Review.Status.PUBLISHED
    written = Review.objects.bulk_create(
        Review(
            author_id=author,
            product_id=product,
            rating=draft.rating,
            title=draft.title,
            text=draft.text,
            status=status,
            created_at=draft.created_at,
        )
        for (author, product), draft in sorted(pairs.items(), key=lambda pair: pair[1].line)
        if (author, product) not in there
    )
    events.publish_all(review_changed(review) for review in written)
    missing = [
        Refusal(
            line=draft.line, column="product", code="unknown_product", reason="No such product."
        )
        for draft in drafts
        if draft.product not in products
    ]
    return len(written), missing


def _products(drafts: Sequence[ReviewDraft], *, creates_products: bool) -> dict[str, UUID]:
    wanted = {draft.product: draft for draft in drafts}
    found: dict[str, UUID] = dict(
        Variant.objects.filter(sku__in=wanted).values_list("sku", "product")
    )
    found |= dict(Product.objects.filter(slug__in=wanted).values_list("slug", "pk"))
    if creates_products:
        for name, draft in wanted.items():
            if name not in found and slug_from(name) == name:
                found[name] = _create_product(draft).pk
    return found


def _create_product(draft: ReviewDraft) -> Product:
    """A product without variants, so that reviews have something to be about."""
    product_type = ProductType.objects.filter(code=_TYPE).first()
    category: Category | None = None
    for depth in range(1, len(draft.shelves) + 1):
        slug = "-".join(slug_from(shelf) for shelf in draft.shelves[:depth])
        shelf: Category | None = Category.objects.filter(slug=slug).first()
        category = shelf or catalog.create_category(
            slug=slug, name=draft.shelves[depth - 1], parent=category
        )
    return catalog.create_product(
        slug=draft.product,
        product_type=product_type or catalog.create_product_type(code=_TYPE, name="Reviewed"),
        name=draft.product_name,
        category=category,
        status=Product.Status.PUBLISHED,
    )


def _authors(emails: set[str]) -> Mapping[str, UUID]:
    known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    User.objects.bulk_create(
        (User(email=email, password=make_password(None)) for email in sorted(emails - known)),
        ignore_conflicts=True,
    )
    return dict(User.objects.filter(email__in=emails).values_list("email", "pk"))


def _generic(row: Record, at: datetime.datetime) -> ReviewDraft | Refusal:
    said = row.values
    email = said.get("author_email", "").lower()
    try:
        validate_email(email)
        dated = parse_datetime(said.get("created_at", "")) if said.get("created_at") else at
    except ValidationError:
        return _refusal(row, "author_email", "bad_email", "This is no e-mail address.")
    except ValueError:
        dated = None
    if dated is None:
        return _refusal(row, "created_at", "bad_date", "A date such as 2026-01-31T12:00:00Z.")
    if dated.tzinfo is None:
        dated = dated.replace(tzinfo=datetime.UTC)
    return _checked(
        row,
        ReviewDraft(
            line=row.line,
            product=said.get("product", ""),
            product_name=said.get("product", ""),
            shelves=[],
            email=email,
            rating=_stars(said.get("rating", "")),
            title=said.get("title", ""),
            text=said.get("text", ""),
            created_at=dated,
        ),
        "rating",
    )


def _clothing(row: Record, at: datetime.datetime) -> ReviewDraft | Refusal:
    """The public set "Women's E-Commerce Clothing Reviews": each row has an author of its own."""
    said = row.values
    number = said.get("Clothing ID", "")
    if not number.isdecimal():
        return _refusal(row, "Clothing ID", "bad_number", "A number is expected.")
    index = said.get("", "") or str(row.line - 2)
    shelves = [said.get(name, "") for name in ("Division Name", "Department Name", "Class Name")]
    return _checked(
        row,
        ReviewDraft(
            line=row.line,
            product=f"clothing-{number}",
            product_name=f"{said.get('Class Name') or 'Clothing'} {number}",
            shelves=[shelf for shelf in shelves if shelf],
            email=f"clothing-{slug_from(index)}@reviews.example.com",
            rating=_stars(said.get("Rating", "")),
            title=said.get("Title", ""),
            text=said.get("Review Text", ""),
            created_at=at,
        ),
        "Rating",
    )


def _checked(row: Record, draft: ReviewDraft, column: str) -> ReviewDraft | Refusal:
    if not draft.rating:
        return _refusal(row, column, "bad_rating", "1 to 5 stars are expected.")
    if len(draft.title) > 200 or len(draft.text) > 10_000:
        return _refusal(row, "", "too_long", "At most 200 characters of title, 10,000 of text.")
    return draft


def _stars(text: str) -> int:
    return int(text) if text in {"1", "2", "3", "4", "5"} else 0


def _refusal(row: Record, column: str, code: str, reason: str) -> Refusal:
    return Refusal(line=row.line, column=column, code=code, reason=reason)

"""How reviews are read."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, OuterRef, QuerySet

from lavka.catalog.models import Product
from lavka.kernel import rows
from lavka.kernel.reads import read_first
from lavka.orders.models import OrderLine
from lavka.orders.rules import OrderStatus
from lavka.reviews.models import ProductRating, Review


@rows.Compiled
def reviewed_product(slug: str, at: datetime.datetime) -> QuerySet[Product]:
    """The product that customers see under `slug`."""
    return Product.objects.published(at).only("id", "slug").filter(slug=slug)


def reviews_of(product: Product) -> QuerySet[Review]:
    """A product's published reviews with their authors."""
    return _with_author(Review.objects.published().filter(product=product))


def reviews_by(author_id: UUID) -> QuerySet[Review]:
    """A customer's own reviews in every state, with their products."""
    return _with_author(Review.objects.filter(author_id=author_id)).select_related("product")


@rows.Compiled
def own_review(review_id: UUID, author_id: UUID) -> QuerySet[Review]:
    """One of a customer's own reviews in any state, with its product."""
    return reviews_by(author_id).filter(pk=review_id)


def all_reviews() -> QuerySet[Review]:
    """Every review, for staff, with author and product."""
    return _with_author(Review.objects.all()).select_related("product")


async def rating_of(product: Product) -> ProductRating:
    """The product's rating, an unsaved empty one while nobody has rated."""
    found = await read_first(ProductRating.objects.filter(product=product))
    return found or ProductRating(product=product, count=0, average=None)


def purchases(author: UUID | OuterRef, product: UUID | OuterRef) -> QuerySet[OrderLine]:
    """Where a customer bought a product, in orders that were placed and not called off."""
    unbought = [OrderStatus.DRAFT, OrderStatus.CANCELLED]
    lines = OrderLine.objects.filter(order__customer=author, product_id=product)
    return lines.exclude(order__status__in=unbought)


@rows.Compiled
def purchase(author_id: UUID, product_id: UUID) -> QuerySet[OrderLine]:
    """One of `purchases`, if there is any."""
    return purchases(author_id, product_id).only("id")[:1]


def _with_author(reviews: QuerySet[Review]) -> QuerySet[Review]:
    return reviews.select_related("author").fetch_mode(FETCH_RAISE)

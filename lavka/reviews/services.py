"""Every change of a review: writing, moderating, voting. What follows is counted in `ratings`."""

import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from lavka.kernel import rows
from lavka.kernel.conf import options
from lavka.kernel.errors import Unauthenticated
from lavka.orders.models import Order
from lavka.reviews import selectors
from lavka.reviews.errors import AlreadyReviewed, OwnReview
from lavka.reviews.events import ReviewChanged
from lavka.reviews.models import HelpfulVote, Review


class ReviewContent(TypedDict, total=False):
    """What its author may say: `rating` is 1 to 5."""

    rating: int
    title: str
    text: str


@transaction.atomic
def write_review(
    *, slug: str, author_id: UUID, at: datetime.datetime, **content: Unpack[ReviewContent]
) -> Review:
    """Save a customer's review of the product at `slug`, published or waiting for approval.

    Raises: Product.DoesNotExist, for what customers cannot see; AlreadyReviewed, with `review`;
    Unauthenticated, for an account that was closed.
    Locks: the author's row, so that two reviews of one product come one after the other.
    Emits: ReviewChanged.
    """
    product = selectors.reviewed_product.get(slug, at)
    _lock_author(author_id)
    earlier = _earlier.first(product.pk, author_id)
    if earlier is not None:
        raise AlreadyReviewed(review=str(earlier.pk))
    review = Review(
        product=product,
        author_id=author_id,
        status=_first_status(),
        is_verified_purchase=selectors.purchase.first(author_id, product.pk) is not None,
        **content,
    )
    review.save(force_insert=True)
    return review


@transaction.atomic
def change_review(*, review_id: UUID, author_id: UUID, **content: Unpack[ReviewContent]) -> Review:
    """Change what an author said; a held shop looks at it again, a hidden review stays hidden.

    Raises: Review.DoesNotExist, also for another author's review.
    Locks: the review. Emits: ReviewChanged.
    """
    review = Review.objects.select_for_update(no_key=True).get(pk=review_id, author_id=author_id)
    for field, value in content.items():
        setattr(review, field, value)
    if review.status == Review.Status.PUBLISHED:
        review.status = _first_status()
    review.save(update_fields=[*content, "status", "updated_at"])
    return review


@transaction.atomic
def delete_review(*, review_id: UUID, author_id: UUID) -> None:
    """Take a review back; raises Review.DoesNotExist. Emits: ReviewChanged."""
    Review.objects.select_for_update().get(pk=review_id, author_id=author_id).delete()


@transaction.atomic
def moderate_review(*, review_id: UUID, status: str) -> Review:
    """Set what customers see of a review; any state may follow any other.

    Raises: Review.DoesNotExist. Locks: the review. Emits: ReviewChanged.
    """
    review = Review.objects.select_for_update(no_key=True).get(pk=review_id)
    review.status = Review.Status(status)
    review.save(update_fields=["status", "updated_at"])
    return review


@transaction.atomic
def verify_purchases(*, order_id: UUID) -> None:
    """Mark the reviews of an order's customer by whether they bought what they speak of.

    Looks at all their orders, so it may be called for any change of any order, and twice; a
    guest's order marks nothing.
    Locks: the customer's row: a review that is being written meanwhile is seen here, or sees the
    order itself.
    """
    of_order = Order.objects.filter(pk=order_id, customer__isnull=False)
    customer = get_user_model().objects.filter(pk__in=of_order.values("customer"))
    author = customer.select_for_update(no_key=True).first()
    if author is not None:
        bought = selectors.purchases(OuterRef("author"), OuterRef("product"))
        # No signal: nothing that is counted or shown elsewhere changes.
        Review.objects.filter(author=author).update(is_verified_purchase=Exists(bought))


@transaction.atomic
def vote_helpful(*, review_id: UUID, voter_id: UUID) -> int:
    """Count a customer's vote once, however often it is sent; returns the votes.

    Raises: Review.DoesNotExist; OwnReview; Unauthenticated, for an account that was closed.
    Locks: the review.
    """
    review = _lock_published(review_id)
    if review.author_id == voter_id:
        raise OwnReview
    _lock_author(voter_id)
    vote = HelpfulVote.objects.filter(review=review, voter_id=voter_id)
    if not vote.exists():
        HelpfulVote.objects.create(review=review, voter_id=voter_id)
        _add_votes(review, 1)
    return review.helpful


@transaction.atomic
def withdraw_vote(*, review_id: UUID, voter_id: UUID) -> int:
    """Take a customer's vote back, if there is one; returns the votes.

    Raises: Review.DoesNotExist. Locks: the review.
    """
    review = _lock_published(review_id)
    removed, _ = HelpfulVote.objects.filter(review=review, voter_id=voter_id).delete()
    if removed:
        _add_votes(review, -1)
    return review.helpful


def _first_status() -> Review.Status:
    needs_approval = options.reviews_need_approval
    return Review.Status.PENDING if needs_approval else Review.Status.PUBLISHED


@rows.Compiled
def _earlier(product_id: UUID, author_id: UUID) -> QuerySet[Review]:
    return Review.objects.filter(product=product_id, author=author_id).only("id")


@rows.Compiled
def _author(user_id: UUID) -> QuerySet[Any]:
    active = get_user_model().objects.filter(pk=user_id, is_active=True)
    return active.select_for_update(no_key=True).only("id")


def _lock_author(user_id: UUID) -> None:
    if _author.first(user_id) is None:
        raise Unauthenticated


def _lock_published(review_id: UUID) -> Review:
    return Review.objects.published().select_for_update(no_key=True).get(pk=review_id)


def _add_votes(review: Review, votes: int) -> None:
    """Change the counter without a signal: a vote changes no rating."""
    Review.objects.filter(pk=review.pk).update(helpful=F("helpful") + votes)
    review.helpful += votes


def review_changed(review: Review, *, is_deleted: bool = False) -> ReviewChanged:
    """About this review, as it is now, or as it was when it was deleted."""
    return ReviewChanged(
        review_id=review.pk,
        product_id=review.product_id,
        rating=review.rating,
        status=review.status,
        is_deleted=is_deleted,
    )

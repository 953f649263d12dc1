"""Ratings: counted review by review, exact in any order of events, and mended every night.

`CountedReview` remembers what each review adds. Counting compares that with the review as it is
now and applies the difference, so it needs no old values, and counting twice changes nothing.
"""

import datetime
import logging
from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from lavka.kernel import events, log
from lavka.kernel.models import DriftReport
from lavka.reviews.events import RatingChanged
from lavka.reviews.models import STARS, CountedReview, ProductRating, Review

logger = logging.getLogger(__name__)

# A difference younger than this is an event on its way, not a drift.
LAG = datetime.timedelta(minutes=10)


@transaction.atomic
def count_review(*, review_id: UUID, product_id: UUID) -> None:
    """Bring the rating of a review's product in line with the review as it is now.

    `product_id` is where the review stood when the event was written; a product that is gone is
    left alone.
    Locks: the review's memory, then the ratings of the products concerned in the order of ids.
    Emits: RatingChanged, for each rating that moves.
    """
    counted = _lock_memory(review_id, product_id)
    if counted is None:
        return
    review = Review.objects.filter(pk=review_id).only("product", "rating", "status").first()
    is_counted = review is not None and review.status == Review.Status.PUBLISHED
    rating = review.rating if review is not None and is_counted else 0
    product = review.product_id if review is not None else counted.product_id

    changes: Counter[tuple[UUID, int]] = Counter()
    changes[counted.product_id, counted.rating] -= 1
    changes[product, rating] += 1
    for of_product in sorted({counted.product_id, product}):
        _change_rating(of_product, {n: changes[of_product, n] for n in STARS})
    if review is None:
        counted.delete()
    elif (counted.product_id, counted.rating) != (product, rating):
        counted.product_id, counted.rating = product, rating
        counted.save(update_fields=["product", "rating"])


def reconcile_ratings(*, at: datetime.datetime) -> DriftReport:
    """Compare every rating with its reviews, mend what differs, and report what had drifted.

    A review whose event is younger than `LAG` is counted too, but is no drift. Runs beside the
    shop: each mend is a transaction of its own.
    """
    differing = _miscounted_reviews()
    on_their_way = log.told_since(at - LAG, [review_id for review_id, _ in differing])
    for review_id, product_id in differing:
        count_review(review_id=review_id, product_id=product_id)
    drifted = [str(review_id) for review_id, _ in differing if review_id not in on_their_way]
    wrong_sums = _wrong_sums()
    for product_id in wrong_sums:
        recount_product(product_id=product_id)
    report = DriftReport.objects.create(
        subject="ratings",
        checked=Review.objects.count(),
        drifted=len(drifted) + len(wrong_sums),
        details={
            "reviews": drifted[:100],
            "products": [str(product_id) for product_id in wrong_sums[:100]],
        },
    )
    if report.drifted:
        logger.warning("ratings had drifted and were mended", extra={"drifted": report.drifted})
    return report


@transaction.atomic
def recount_product(*, product_id: UUID) -> None:
    """Set a product's rating to the sum of what its reviews add.

    Locks: the rating. A count that waits for it adds its difference afterwards.
    Emits: RatingChanged.
    """
    ProductRating.objects.bulk_create([ProductRating(product_id=product_id)], ignore_conflicts=True)
    rating = ProductRating.objects.select_for_update().get(pk=product_id)
    sums = Counter(
        CountedReview.objects.filter(product_id=product_id).values_list("rating", flat=True)
    )
    for stars in STARS:
        setattr(rating, f"stars_{stars}", sums[stars])
    rating.save(update_fields=[f"stars_{stars}" for stars in STARS])
    events.publish(RatingChanged(product_id=product_id))


@transaction.atomic
def rebuild_ratings() -> None:
    """Count everything anew in two statements, for a bulk load that sent no events.

    It publishes none either: who loads in bulk also rebuilds what is made from ratings.
    Locks: both tables against other counts until the transaction ends.
    """
    with connection.cursor() as cursor:
        for statement in _REBUILD:
            cursor.execute(statement)


def _lock_memory(review_id: UUID, product_id: UUID) -> CountedReview | None:
    """The review's memory, made when there is none; None when review or product are long gone.

    A memory of 0 stars counts nothing. The row is the lock: two counts of one review wait for
    each other even when neither found it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [review_id, product_id])
    return CountedReview.objects.select_for_update().filter(pk=review_id).first()


def _change_rating(product_id: UUID, stars: Mapping[int, int]) -> None:
    """Add to the numbers of stars; no number falls below zero, by the columns' CHECK."""
    changes = {f"stars_{n}": F(f"stars_{n}") + change for n, change in stars.items() if change}
    if changes:
        ProductRating.objects.bulk_create(
            [ProductRating(product_id=product_id)], ignore_conflicts=True
        )
        ProductRating.objects.filter(pk=product_id).update(**changes)
        events.publish(RatingChanged(product_id=product_id))


def _miscounted_reviews() -> list[tuple[UUID, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(_MISCOUNTED)
        return list(cursor.fetchall())


def _wrong_sums() -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_SUMS)
        return [product_id for (product_id,) in cursor.fetchall()]


_REMEMBER = """
INSERT INTO reviews_countedreview (review_id, product_id, rating)
SELECT %s, id, 0 FROM catalog_product WHERE id = %s FOR KEY SHARE
ON CONFLICT (review_id) DO NOTHING
"""

_MISCOUNTED = """
SELECT coalesce(review.id, counted.review_id), coalesce(counted.product_id, review.product_id)
FROM reviews_review AS review
FULL JOIN reviews_countedreview AS counted ON counted.review_id = review.id
WHERE CASE WHEN review.status = 'published' THEN review.rating ELSE 0 END
      <> coalesce(counted.rating, 0)
   OR (counted.rating > 0 AND counted.product_id <> review.product_id)
"""

_SUMS = """
SELECT product_id,
    count(*) FILTER (WHERE rating = 1) AS stars_1,
    count(*) FILTER (WHERE rating = 2) AS stars_2,
    count(*) FILTER (WHERE rating = 3) AS stars_3,
    count(*) FILTER (WHERE rating = 4) AS stars_4,
    count(*) FILTER (WHERE rating = 5) AS stars_5
FROM reviews_countedreview WHERE rating > 0 GROUP BY product_id
"""

_WRONG_SUMS = f"""
SELECT coalesce(rating.product_id, sums.product_id)
FROM reviews_productrating AS rating
FULL JOIN ({_SUMS}) AS sums USING (product_id)
WHERE (coalesce(rating.stars_1, 0), coalesce(rating.stars_2, 0), coalesce(rating.stars_3, 0),
       coalesce(rating.stars_4, 0), coalesce(rating.stars_5, 0))
   <> (coalesce(sums.stars_1, 0), coalesce(sums.stars_2, 0), coalesce(sums.stars_3, 0),
       coalesce(sums.stars_4, 0), coalesce(sums.stars_5, 0))
"""  # noqa: S608 - joined from constants

_REBUILD = (
    "LOCK TABLE reviews_countedreview, reviews_productrating IN EXCLUSIVE MODE",
    "DELETE FROM reviews_countedreview",
    "DELETE FROM reviews_productrating",
    """
    INSERT INTO reviews_countedreview (review_id, product_id, rating)
        SELECT id, product_id, rating FROM reviews_review WHERE status = 'published'
    """,
    f"""
    INSERT INTO reviews_productrating
        (product_id, stars_1, stars_2, stars_3, stars_4, stars_5) {_SUMS}
    """,
)

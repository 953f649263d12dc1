"""Ratings: exact whatever the order, the number and the overlap of counts."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import Avg
from django.utils import timezone

from lavka.kernel.models import DriftReport, OutboxEvent
from lavka.reviews import ratings
from lavka.reviews.models import CountedReview, ProductRating, Review
from lavka.reviews.selectors import rating_of
from tests.catalog.factories import make_product
from tests.racing import race
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db


def count(review: Review, *, review_id: UUID | None = None) -> None:
    ratings.count_review(review_id=review_id or review.pk, product_id=review.product_id)


def stars_of(product) -> list[int]:
    rating = ProductRating.objects.get(product=product)
    return list(rating.histogram.values())


def test_average_and_histogram_follow_the_reviews():
    product = make_product()
    for stars in (5, 4, 4):
        count(make_review(product=product, rating=stars))

    rating = ProductRating.objects.get(product=product)

    assert (rating.count, rating.average) == (3, Decimal("4.33"))
    assert rating.histogram == {"1": 0, "2": 0, "3": 0, "4": 2, "5": 1}


def test_counting_twice_changes_nothing():
    review = make_review(rating=3)

    count(review)
    count(review)

    assert stars_of(review.product) == [0, 0, 1, 0, 0]


def test_a_changed_rating_moves_from_one_number_to_the_other():
    review = make_review(rating=3)
    count(review)

    Review.objects.filter(pk=review.pk).update(rating=1)
    count(review)

    assert stars_of(review.product) == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("status", [Review.Status.PENDING, Review.Status.HIDDEN])
def test_a_review_that_nobody_sees_does_not_count(status):
    review = make_review(rating=5)
    count(review)

    Review.objects.filter(pk=review.pk).update(status=status)
    count(review)

    rating = ProductRating.objects.get(product=review.product)
    assert (rating.count, rating.average) == (0, None)


def test_a_deleted_review_is_taken_out_and_leaves_no_memory():
    review = make_review(rating=5)
    kept = make_review(rating=1, product=review.product)
    count(review)
    count(kept)
    review_id = review.pk

    review.delete()
    count(review, review_id=review_id)
    count(review, review_id=review_id)

    assert stars_of(kept.product) == [1, 0, 0, 0, 0]
    assert list(CountedReview.objects.values_list("review_id", flat=True)) == [kept.pk]


def test_a_review_moved_to_another_product_counts_there():
    review, target = make_review(rating=2), make_product()
    count(review)

    Review.objects.filter(pk=review.pk).update(product=target)
    ratings.count_review(review_id=review.pk, product_id=target.pk)

    assert stars_of(review.product) == [0, 0, 0, 0, 0]
    assert stars_of(target) == [0, 1, 0, 0, 0]


def test_an_event_about_a_deleted_product_is_let_go():
    review = make_review()
    review_id, product_id = review.pk, review.product_id
    review.product.delete()

    ratings.count_review(review_id=review_id, product_id=product_id)

    assert not CountedReview.objects.exists()
    assert not ProductRating.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_counts_of_many_reviews_are_all_in_the_rating():
    product = make_product()
    reviews = [make_review(product=product, rating=n % 5 + 1) for n in range(8)]
    todo = iter(reviews * 2)

    outcomes = race(lambda: count(next(todo)), times=16)

    assert outcomes == [None] * 16
    assert stars_of(product) == [2, 2, 2, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_parallel_counts_of_one_review_count_it_once():
    review = make_review(rating=5)

    outcomes = race(lambda: count(review), times=8)

    assert outcomes == [None] * 8
    assert stars_of(review.product) == [0, 0, 0, 0, 1]


def read_then_write(review: Review) -> None:
    """`count_review` without its lock and with arithmetic in Python."""
    with transaction.atomic():
        is_known = CountedReview.objects.filter(pk=review.pk).exists()
        rating, _ = ProductRating.objects.get_or_create(product_id=review.product_id)
        stars = getattr(rating, f"stars_{review.rating}")
        if not is_known:
            CountedReview.objects.bulk_create(
                [
                    CountedReview(
                        review_id=review.pk, product_id=review.product_id, rating=review.rating
                    )
                ],
                ignore_conflicts=True,
            )
            setattr(rating, f"stars_{review.rating}", stars + 1)
            rating.save(update_fields=[f"stars_{review.rating}"])


@pytest.mark.django_db(transaction=True)
def test_control_read_then_write_loses_reviews():
    """If this fails, `race` overlaps nothing and the tests above prove nothing."""
    lost = 0
    for _ in range(5):
        product = make_product()
        reviews = [make_review(product=product, rating=5) for _ in range(8)]
        todo = iter(reviews)
        race(lambda todo=todo: read_then_write(next(todo)), times=8)
        lost += 8 - stars_of(product)[4]

    assert lost > 0


def test_any_sequence_of_changes_ends_in_the_exact_rating():
    dice = random.Random(7)
    products = [make_product() for _ in range(3)]
    reviews = [
        make_review(product=dice.choice(products), rating=dice.randint(1, 5)) for _ in range(12)
    ]
    todo = [(review.pk, review.product_id) for review in reviews]
    for _ in range(60):
        review = dice.choice(reviews)
        Review.objects.filter(pk=review.pk).update(
            rating=dice.randint(1, 5),
            status=dice.choice(Review.Status.values),
            product=dice.choice(products),
        )
        todo.append((review.pk, review.product_id))
        if dice.random() < 0.1 and len(reviews) > 4:
            reviews.remove(review)
            Review.objects.filter(pk=review.pk).delete()
    dice.shuffle(todo)

    for review_id, product_id in todo:
        ratings.count_review(review_id=review_id, product_id=product_id)

    for product in products:
        published = Review.objects.published().filter(product=product)
        expected = Counter(published.values_list("rating", flat=True))
        rating = async_to_sync(rating_of)(product)
        assert list(rating.histogram.values()) == [expected[n] for n in (1, 2, 3, 4, 5)]
        average = published.aggregate(average=Avg("rating"))["average"]
        assert rating.average == (
            None if average is None else Decimal(str(average)).quantize(Decimal("0.01"))
        )


def age_all_events() -> None:
    OutboxEvent.objects.update(occurred_at=timezone.now() - timedelta(hours=1))


def test_the_reconcile_mends_and_reports_reviews_whose_event_was_lost():
    lost, deleted, counted = make_review(rating=5), make_review(rating=1), make_review(rating=2)
    count(deleted)
    count(counted)
    deleted_product = deleted.product
    deleted.delete()
    age_all_events()

    report = ratings.reconcile_ratings(at=timezone.now())

    assert report.drifted == 2
    assert stars_of(lost.product) == [0, 0, 0, 0, 1]
    assert stars_of(deleted_product) == [0, 0, 0, 0, 0]
    assert stars_of(counted.product) == [0, 1, 0, 0, 0]


def test_the_reconcile_mends_and_reports_a_rating_that_was_tampered_with():
    review = make_review(rating=2)
    count(review)
    ProductRating.objects.update(stars_5=7)
    age_all_events()

    report = ratings.reconcile_ratings(at=timezone.now())

    assert (report.drifted, report.details["products"]) == (1, [str(review.product_id)])
    assert stars_of(review.product) == [0, 1, 0, 0, 0]


def test_the_reconcile_counts_what_is_on_its_way_without_calling_it_drift():
    review = make_review(rating=5)

    report = ratings.reconcile_ratings(at=timezone.now())

    assert (report.drifted, report.checked) == (0, 1)
    assert stars_of(review.product) == [0, 0, 0, 0, 1]


def test_a_second_reconcile_finds_nothing():
    make_review()
    age_all_events()

    ratings.reconcile_ratings(at=timezone.now())
    ratings.reconcile_ratings(at=timezone.now())

    assert list(DriftReport.objects.order_by("ran_at").values_list("drifted", flat=True)) == [1, 0]


def test_the_rebuild_equals_the_incremental_count():
    product = make_product()
    reviews = [make_review(product=product, rating=n) for n in (1, 5, 5)]
    make_review(product=product, rating=3, status=Review.Status.HIDDEN)
    for review in reviews:
        count(review)
    incremental = stars_of(product)
    ProductRating.objects.update(stars_4=9)

    ratings.rebuild_ratings()

    assert stars_of(product) == incremental == [1, 0, 0, 0, 2]
    assert CountedReview.objects.count() == 3

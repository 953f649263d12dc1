"""Writing, changing, moderating, voting."""

import uuid
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from lavka.catalog.models import Product
from lavka.kernel.errors import Unauthenticated
from lavka.kernel.models import OutboxEvent
from lavka.reviews import services
from lavka.reviews.errors import AlreadyReviewed, OwnReview
from lavka.reviews.models import HelpfulVote, Review
from tests.accounts.factories import make_customer
from tests.catalog.factories import make_product
from tests.racing import race
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db


def write(**overrides: Any) -> Review:
    values = {"rating": 5, "title": "Fine", "text": "Works."} | overrides
    return services.write_review(at=timezone.now(), **values)


def events_about(review_id: uuid.UUID) -> list[str]:
    return list(OutboxEvent.objects.filter(aggregate=review_id).values_list("name", flat=True))


def test_a_written_review_is_published_and_leaves_one_event():
    product, author = make_product(), make_customer()

    review = write(slug=product.slug, author_id=author.pk)

    assert review.status == "published"
    assert events_about(review.pk) == ["reviews.review_changed"]


def test_a_shop_that_approves_first_holds_the_review(settings):
    settings.LAVKA = settings.LAVKA | {"REVIEWS_NEED_APPROVAL": True}

    review = write(slug=make_product().slug, author_id=make_customer().pk)

    assert review.status == "pending"


def test_a_second_review_of_the_same_product_is_refused_and_changes_nothing():
    first = make_review(rating=2)

    with pytest.raises(AlreadyReviewed) as refusal:
        write(slug=first.product.slug, author_id=first.author_id)

    assert refusal.value.details == {"review": str(first.pk)}
    assert list(Review.objects.values_list("rating", flat=True)) == [2]
    assert events_about(first.pk) == ["reviews.review_changed"]


def test_a_draft_cannot_be_reviewed():
    draft = make_product(status=Product.Status.DRAFT)

    with pytest.raises(Product.DoesNotExist):
        write(slug=draft.slug, author_id=make_customer().pk)

    assert not Review.objects.exists()


def test_a_closed_account_cannot_review():
    author = make_customer(is_active=False)

    with pytest.raises(Unauthenticated):
        write(slug=make_product().slug, author_id=author.pk)

    assert not Review.objects.exists()


def test_an_author_changes_the_review_and_it_is_counted_again():
    review = make_review(rating=1)

    services.change_review(review_id=review.pk, author_id=review.author_id, rating=5)

    review.refresh_from_db()
    assert (review.rating, review.title) == (5, "Good")
    assert events_about(review.pk) == ["reviews.review_changed"] * 2


def test_a_hidden_review_stays_hidden_when_its_author_edits_it():
    review = make_review(status=Review.Status.HIDDEN)

    services.change_review(review_id=review.pk, author_id=review.author_id, text="New words.")

    review.refresh_from_db()
    assert review.status == "hidden"


def test_an_edited_review_waits_again_in_a_shop_that_approves_first(settings):
    settings.LAVKA = settings.LAVKA | {"REVIEWS_NEED_APPROVAL": True}
    review = make_review()

    services.change_review(review_id=review.pk, author_id=review.author_id, text="New words.")

    review.refresh_from_db()
    assert review.status == "pending"


def test_nobody_changes_or_deletes_another_customers_review():
    review, stranger = make_review(rating=4), make_customer()

    with pytest.raises(Review.DoesNotExist):
        services.change_review(review_id=review.pk, author_id=stranger.pk, rating=1)
    with pytest.raises(Review.DoesNotExist):
        services.delete_review(review_id=review.pk, author_id=stranger.pk)

    review.refresh_from_db()
    assert review.rating == 4


def test_a_vote_counts_once_and_can_be_withdrawn_once():
    review, voter = make_review(), make_customer()

    votes = [services.vote_helpful(review_id=review.pk, voter_id=voter.pk) for _ in range(2)]
    left = [services.withdraw_vote(review_id=review.pk, voter_id=voter.pk) for _ in range(2)]

    assert (votes, left) == ([1, 1], [0, 0])


def test_nobody_votes_for_their_own_review():
    review = make_review()

    with pytest.raises(OwnReview):
        services.vote_helpful(review_id=review.pk, voter_id=review.author_id)

    assert not HelpfulVote.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_reviews_of_one_customer_leave_one():
    product, author = make_product(), make_customer()

    outcomes = race(lambda: write(slug=product.slug, author_id=author.pk).rating, times=8)

    assert Counter(outcomes) == {5: 1, AlreadyReviewed: 7}
    assert Review.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_votes_of_one_customer_count_once():
    review, voter = make_review(), make_customer()

    race(lambda: services.vote_helpful(review_id=review.pk, voter_id=voter.pk), times=8)

    review.refresh_from_db()
    assert (review.helpful, HelpfulVote.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_parallel_votes_of_many_customers_all_count():
    review = make_review()
    voters = iter([make_customer().pk for _ in range(8)])

    race(lambda: services.vote_helpful(review_id=review.pk, voter_id=next(voters)), times=8)

    review.refresh_from_db()
    assert (review.helpful, HelpfulVote.objects.count()) == (8, 8)

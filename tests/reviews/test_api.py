"""Reviews over HTTP."""

import uuid

import pytest

from lavka.kernel.models import OutboxEvent
from lavka.reviews import ratings
from lavka.reviews.models import Review
from lavka.web.pages import encode_cursor
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import make_product
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db

BODY = {"rating": 5, "title": "Warm", "text": "Still warm after a night in the tent."}


def reviews_path(product) -> str:
    return f"/products/{product.slug}/reviews/"


def test_a_customer_reviews_a_product(api):
    product, customer = make_product(), make_customer(name="Ada")

    answer = api.post(reviews_path(product), BODY, token=token_of(customer))

    review = Review.objects.get()
    assert answer.status_code == 201
    assert answer.json() == BODY | {
        "id": str(review.pk),
        "author": "Ada",
        "helpful": 0,
        "verified_purchase": False,
        "created_at": review.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": "published",
        "product": product.slug,
    }


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"rating": 0}, "#/rating", "min_value"),
        ({"rating": 6}, "#/rating", "max_value"),
        ({"rating": "5"}, "#/rating", "invalid"),
        ({"rating": 4.5}, "#/rating", "invalid"),
        ({"rating": True}, "#/rating", "invalid"),
        ({"rating": None}, "#/rating", "null"),
        ({"title": "x" * 201}, "#/title", "max_length"),
        ({"text": 7}, "#/text", "invalid"),
        ({"stars": 5}, "#/stars", "unknown"),
    ],
)
def test_a_bad_review_is_refused_by_its_field_and_not_saved(api, change, pointer, code):
    answer = api.post(reviews_path(make_product()), BODY | change, token=token_of(make_customer()))

    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert not Review.objects.exists()
    assert not OutboxEvent.objects.filter(name="reviews.review_changed").exists()


def test_an_anonymous_review_is_refused(api):
    answer = api.post(reviews_path(make_product()), BODY)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert not Review.objects.exists()


def test_a_second_review_is_a_conflict_that_names_the_first(api):
    first = make_review()

    answer = api.post(reviews_path(first.product), BODY, token=token_of(first.author))

    assert answer.status_code == 409
    assert answer.json()["code"] == "already_reviewed"
    assert answer.json()["details"] == {"review": str(first.pk)}


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_product_that_is_not_published_has_no_reviews(api, status):
    review = make_review(product=make_product(status=status))

    listed = api.get(reviews_path(review.product))
    written = api.post(reviews_path(review.product), BODY, token=token_of(make_customer()))

    assert (listed.status_code, written.status_code) == (404, 404)


def test_the_list_shows_published_reviews_newest_first_over_all_pages(api):
    product = make_product()
    reviews = [make_review(product=product) for _ in range(5)]
    make_review(product=product, status=Review.Status.PENDING)
    make_review(product=product, status=Review.Status.HIDDEN)

    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(reviews_path(product) + f"?limit=2&cursor={cursor}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]

    assert seen == [str(review.pk) for review in reversed(reviews)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("best", [5, 4, 4, 1]), ("worst", [1, 4, 4, 5]), ("helpful", [4, 1, 5, 4])],
)
def test_the_list_sorts_and_pages_alike(api, sort, expected):
    product = make_product()
    for rating, helpful in [(4, 0), (5, 1), (1, 2), (4, 3)]:
        make_review(product=product, rating=rating, helpful=helpful)

    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(reviews_path(product) + f"?limit=1&sort={sort}&cursor={cursor}").json()
        seen += [item["rating"] for item in page["items"]]
        cursor = page["next"]

    assert seen == expected


def test_the_list_filters_by_stars_and_counts_on_request(api):
    product = make_product()
    for rating in (5, 4, 1):
        make_review(product=product, rating=rating)

    page = api.get(reviews_path(product) + "?rating=5&rating=1&count=true").json()

    assert [item["rating"] for item in page["items"]] == [1, 5]
    assert page["count"] == {"value": 2, "exact": True}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=٣", "?limit"),
        ("sort=loudest", "?sort"),
        ("rating=6", "?rating"),
        ("cursor=garbage", "?cursor"),
        ("cursor=W10", "?cursor"),
        ("cursor=WzEsMl0", "?cursor"),
        ("cursor=WyJ4IiwieSJd", "?cursor"),
        (f"cursor={encode_cursor(['2026-01-01T00:00:00', uuid.UUID(int=1)])}", "?cursor"),
        (f"cursor={encode_cursor(['0001-01-01', uuid.UUID(int=1)])}", "?cursor"),
        (f"sort=best&cursor={encode_cursor([10**30, uuid.UUID(int=1)])}", "?cursor"),
    ],
)
def test_a_bad_query_is_refused_by_its_parameter(api, query, pointer):
    answer = api.get(reviews_path(make_product()) + "?" + query)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("count", [1, 5])
def test_the_list_takes_the_same_queries_for_one_and_for_many(
    api, count, django_assert_num_queries
):
    product = make_product()
    for _ in range(count):
        make_review(product=product)

    with django_assert_num_queries(2):
        page = api.get(reviews_path(product)).json()

    assert len(page["items"]) == count


def test_the_rating_shows_average_count_and_histogram(api):
    review = make_review(rating=4)
    ratings.count_review(review_id=review.pk, product_id=review.product_id)

    answer = api.get(f"/products/{review.product.slug}/rating/")

    assert answer.json() == {
        "average": 4.0,
        "count": 1,
        "histogram": {"1": 0, "2": 0, "3": 0, "4": 1, "5": 0},
    }


def test_a_product_without_reviews_has_an_empty_rating(api):
    answer = api.get(f"/products/{make_product().slug}/rating/")

    assert answer.json() == {
        "average": None,
        "count": 0,
        "histogram": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0},
    }


def test_an_author_changes_and_deletes_the_review(api):
    review = make_review(rating=2)
    path, token = f"/reviews/{review.pk}/", token_of(review.author)

    changed = api.patch(path, {"rating": 3}, token=token)
    deleted = api.delete(path, token=token)

    assert (changed.status_code, changed.json()["rating"]) == (200, 3)
    assert changed.json()["title"] == "Good"
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert not Review.objects.exists()


def test_another_customers_review_is_not_found(api):
    review, stranger = make_review(rating=2), token_of(make_customer())

    changed = api.patch(f"/reviews/{review.pk}/", {"rating": 1}, token=stranger)
    deleted = api.delete(f"/reviews/{review.pk}/", token=stranger)

    review.refresh_from_db()
    assert (changed.status_code, deleted.status_code, review.rating) == (404, 404, 2)


def test_votes_are_counted_once_and_withdrawn(api):
    review, token = make_review(), token_of(make_customer())
    path = f"/reviews/{review.pk}/vote/"

    answers = [
        api.put(path, token=token).json(),
        api.put(path, token=token).json(),
        api.delete(path, token=token).json(),
    ]

    assert answers == [{"helpful": 1}, {"helpful": 1}, {"helpful": 0}]


def test_voting_for_oneself_for_a_hidden_or_for_no_review_is_refused(api):
    own, hidden = make_review(), make_review(status=Review.Status.HIDDEN)
    token = token_of(own.author)

    statuses = [
        api.put(f"/reviews/{review_id}/vote/", token=token).status_code
        for review_id in (own.pk, hidden.pk, uuid.uuid4())
    ]

    assert statuses == [409, 404, 404]


def test_customers_see_their_own_reviews_in_every_state(api):
    review = make_review(status=Review.Status.PENDING)
    make_review()

    page = api.get("/me/reviews/", token=token_of(review.author)).json()

    assert [(item["id"], item["status"]) for item in page["items"]] == [(str(review.pk), "pending")]


def test_staff_find_and_publish_what_waits(api):
    waiting = make_review(status=Review.Status.PENDING)
    make_review()
    token = token_of(make_staff())

    queue = api.get("/manage/reviews/?status=pending", token=token).json()
    answer = api.patch(f"/manage/reviews/{waiting.pk}/", {"status": "published"}, token=token)

    waiting.refresh_from_db()
    assert [item["id"] for item in queue["items"]] == [str(waiting.pk)]
    assert (answer.status_code, waiting.status) == (200, "published")


@pytest.mark.parametrize("rights", [(), ("reviews.view_review",)])
def test_moderation_needs_the_right_for_it(api, rights):
    review = make_review(status=Review.Status.PENDING)
    user = make_staff(*rights) if rights else make_customer()

    answer = api.patch(
        f"/manage/reviews/{review.pk}/", {"status": "published"}, token=token_of(user)
    )

    review.refresh_from_db()
    assert (answer.status_code, review.status) == (403, "pending")


def test_a_right_that_was_taken_away_is_gone_before_the_token_ends(api):
    staff = make_staff()
    token = token_of(staff)
    staff.is_staff = False
    staff.save()

    assert api.get("/manage/reviews/", token=token).status_code == 403


def test_refusals_speak_russian(api):
    first = make_review()

    answer = api.post(
        reviews_path(first.product), BODY, token=token_of(first.author), Accept_Language="ru"
    )

    assert (answer.status_code, answer["Content-Language"]) == (409, "ru")
    assert answer.json()["title"] == "Конфликт"
    assert answer.json()["detail"] == (
        "Вы уже оставили отзыв об этом товаре. Измените его вместо нового."
    )

"""Reviews of those who bought what they speak of."""

from collections.abc import Callable
from threading import Barrier
from uuid import uuid4

import pytest
from django.utils import timezone

from lavka.kernel import events
from lavka.orders import services as orders
from lavka.orders.events import OrderCancelled, OrderEdited, OrderPlaced
from lavka.reviews import services, tasks
from lavka.reviews.models import Review
from tests.accounts.factories import make_customer, token_of
from tests.catalog.factories import make_variant
from tests.happening import SYSTEM
from tests.orders.factories import line_of, make_draft, make_order
from tests.racing import race
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db


def write(customer, variant) -> Review:
    return services.write_review(
        slug=variant.product.slug, author_id=customer.pk, at=timezone.now(), rating=5
    )


def verify(order) -> None:
    tasks.verify_purchases(event_id=str(uuid4()), order_id=str(order.pk))


def is_verified(review: Review) -> bool:
    review.refresh_from_db()
    return review.is_verified_purchase


def test_a_review_after_the_purchase_is_verified_at_once():
    ada, bought, other = make_customer(), make_variant(), make_variant()
    make_order(line_of(bought, 1), customer=ada)

    assert is_verified(write(ada, bought))
    assert not is_verified(write(ada, other))
    assert not is_verified(write(make_customer(), bought))


def test_a_review_before_the_purchase_is_verified_with_the_order():
    ada, variant = make_customer(), make_variant()
    review, others = write(ada, variant), write(make_customer(), variant)
    order = make_order(line_of(variant, 1), customer=ada)

    for _ in range(2):
        verify(order)

    assert is_verified(review)
    assert not is_verified(others)


@pytest.mark.parametrize("event", [OrderPlaced, OrderEdited, OrderCancelled])
def test_each_change_of_an_order_is_followed_by_the_task(event):
    assert tasks.verify_purchases in events.handlers_of(event.name)


def test_a_draft_a_guests_order_and_one_that_is_gone_verify_nothing():
    ada, variant = make_customer(), make_variant()
    draft = make_draft(line_of(variant, 1), customer=ada)
    guests = make_order(line_of(variant, 1))
    review = write(ada, variant)

    for order in (draft, guests):
        verify(order)
    tasks.verify_purchases(event_id=str(uuid4()), order_id=str(uuid4()))

    assert not is_verified(review)


def test_a_cancelled_order_takes_it_back_unless_there_is_another():
    ada, variant = make_customer(), make_variant()
    first, second = (make_order(line_of(variant, 1), customer=ada) for _ in range(2))
    review = write(ada, variant)

    verified = []
    for order in (first, second):
        orders.cancel_order(order_id=order.pk, actor=SYSTEM, at=timezone.now(), reason="")
        verify(order)
        verified.append(is_verified(review))

    assert verified == [True, False]


def test_clients_see_it_and_filter_by_it(api):
    ada, variant = make_customer(), make_variant()
    make_order(line_of(variant, 1), customer=ada)
    bought, heard = write(ada, variant), write(make_customer(), variant)
    path = f"/products/{variant.product.slug}/reviews/"

    def ids(query: str = "") -> list[str]:
        return [each["id"] for each in api.get(path + query).json()["items"]]

    shown = {each["id"]: each["verified_purchase"] for each in api.get(path).json()["items"]}
    assert shown == {str(bought.pk): True, str(heard.pk): False}
    assert ids("?verified_purchase=true") == [str(bought.pk)]
    assert ids("?verified_purchase=false") == [str(heard.pk)]
    assert api.get(f"{path}?verified_purchase=maybe").status_code == 422
    own = api.get("/me/reviews/", token=token_of(ada)).json()["items"]
    assert [each["verified_purchase"] for each in own] == [True]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Each call in a thread of its own, all at one instant."""
    waiting = iter(calls)

    def run_one() -> object:
        return next(waiting)()

    return race(run_one, times=len(calls))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_a_review_and_an_order_at_the_same_instant_meet(attempt):
    ada, variant = make_customer(), make_variant()

    at_once(
        lambda: write(ada, variant),
        lambda: verify(make_order(line_of(variant, 1), customer=ada)),
    )

    assert is_verified(Review.objects.get(author=ada))


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_they_may_miss_each_other():
    """The review looks before the order is there, and the order before the review is."""
    ada, variant = make_customer(), make_variant()
    looked = Barrier(2)

    def look_then_write() -> None:
        is_bought = services.selectors.purchases(ada.pk, variant.product_id).exists()
        looked.wait(timeout=20)
        looked.wait(timeout=20)
        make_review(product=variant.product, author=ada, is_verified_purchase=is_bought)

    def order_then_verify() -> None:
        looked.wait(timeout=20)
        verify(make_order(line_of(variant, 1), customer=ada))
        looked.wait(timeout=20)

    assert at_once(look_then_write, order_then_verify) == [None, None]
    assert not is_verified(Review.objects.get(author=ada))

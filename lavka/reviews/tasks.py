"""What Celery runs for reviews."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.reviews import ratings, services


@shared_task(
    name="reviews.count_review",
)
def count_review(*, review_id: str, product_id: str, **_: object) -> None:
    """Count one changed review; a second delivery finds it counted and changes nothing."""
    ratings.count_review(review_id=UUID(review_id), product_id=UUID(product_id))


@shared_task(name="reviews.verify_purchases")
def verify_purchases(*, order_id: str, **_: object) -> None:
    """Mark the reviews of what an order has; a second delivery marks them the same."""
    services.verify_purchases(order_id=UUID(order_id))


@shared_task(name="reviews.reconcile_ratings")
def reconcile_ratings(**_: object) -> int:
    """Mend every rating that differs from its reviews; returns how many had drifted."""
    return ratings.reconcile_ratings(at=timezone.now()).drifted

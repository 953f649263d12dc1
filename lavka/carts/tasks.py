"""What Celery runs for carts."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.carts import services

_AT_ONCE = 500


@shared_task(name="carts.forget_expired")
def forget_expired(**_: object) -> int:
    """Delete carts whose time is over; returns how many."""
    forgotten = 0
    while gone := services.forget_expired(at=timezone.now(), limit=_AT_ONCE):
        forgotten += gone
    return forgotten


@shared_task(name="carts.forget_customer")
def forget_customer(*, user_id: str, **_: object) -> int:
    """Delete the carts of a closed account; a second delivery finds none."""
    return services.forget_customer(customer_id=UUID(user_id))

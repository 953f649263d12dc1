"""What Celery runs for wishlists."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.wishlists import services

_AT_ONCE = 500


@shared_task(name="wishlists.trigger_alerts")
def trigger_alerts(*, variant_id: str, **_: object) -> int:
    """Tell everybody who waits for a variant; returns how many. A second delivery finds nobody."""
    told = 0
    while more := services.trigger_alerts(
        variant_id=UUID(variant_id), at=timezone.now(), limit=_AT_ONCE
    ):
        told += more
    return told


@shared_task(name="wishlists.forget_customer")
def forget_customer(*, user_id: str, **_: object) -> None:
    """Delete the wishes of a closed account; a second delivery finds none."""
    services.forget_customer(customer_id=UUID(user_id))

"""What Celery runs for the listing."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.listing import services


@shared_task(
    name="listing.refresh_product",
)
def refresh_product(*, product_id: str, **_: object) -> None:
    """Refresh a changed product with whatever else waits; a second delivery changes nothing."""
    services.mark_stale(product_ids=[UUID(product_id)])
    services.refresh_stale()


@shared_task(name="listing.refresh_stale")
def refresh_stale(**_: object) -> int:
    """Refresh what a killed worker had marked; returns how many."""
    return services.refresh_stale()


@shared_task(name="listing.reconcile", soft_time_limit=3500, time_limit=3600)
def reconcile(**_: object) -> int:
    """Mend every row that differs from its sources; returns how many products had drifted."""
    return services.reconcile_listing(at=timezone.now()).drifted


@shared_task(name="listing.recount_words", soft_time_limit=600, time_limit=660)
def recount_words(**_: object) -> None:
    """Count the shop's words anew."""
    services.recount_words()

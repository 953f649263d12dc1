"""What Celery runs for invoices."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.invoices import services


@shared_task(name="invoices.issue")
def issue(*, order_id: str, **_: object) -> int:
    """Issue what an order's documents do not show yet; a second delivery finds nothing left."""
    return len(services.issue_invoices(order_id=UUID(order_id), at=timezone.now()))

"""What Celery runs for the web."""

from celery import shared_task
from django.utils import timezone

from lavka.web import idempotency


@shared_task(name="web.purge_idempotency")
def purge_idempotency(**_: object) -> int:
    """Forget answers that nobody asks for again; returns how many."""
    return idempotency.purge(at=timezone.now())

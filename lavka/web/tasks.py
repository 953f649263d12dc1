"""What Celery runs for the web."""

from celery import shared_task
from django.utils import timezone

from lavka.web import idempotency, revocation


@shared_task(name="web.purge_idempotency")
def purge_idempotency(**_: object) -> int:
    """Forget answers that nobody asks for again; returns how many."""
    return idempotency.purge(at=timezone.now())


@shared_task(name="web.purge_ended_sessions")
def purge_ended_sessions(**_: object) -> int:
    """Forget ended sessions that have no valid access token left; returns how many."""
    return revocation.purge(at=timezone.now())

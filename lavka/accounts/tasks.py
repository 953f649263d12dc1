"""What beat runs for accounts."""

from celery import shared_task
from django.utils import timezone

from lavka.accounts.services import credentials, sessions


@shared_task(name="accounts.purge_sessions")
def purge_sessions(**_: object) -> None:
    """Delete expired sessions and failures that count no more."""
    at = timezone.now()
    sessions.purge_sessions(at=at)
    credentials.purge_failures(at=at)

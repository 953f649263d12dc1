"""What beat runs for accounts."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from lavka.accounts.services import credentials, sessions


@shared_task(name="accounts.purge_sessions")
def purge_sessions(**_: object) -> None:
    """Delete expired sessions, of the admin too, and failures that count no more."""
    at = timezone.now()
    sessions.purge_sessions(at=at)
    SessionStore.clear_expired()
    credentials.purge_failures(at=at)

"""What beat runs for accounts."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from lavka.accounts.services import (
    credentials,
    email_changes,
    places,
    requested_mail,
    sessions,
)


@shared_task(name="accounts.purge_sessions")
def purge_sessions(**_: object) -> None:
    """Delete expired sessions, of the admin too, and what counts no more of failures and mails."""
    at = timezone.now()
    sessions.purge_sessions(at=at)
    SessionStore.clear_expired()
    credentials.purge_failures(at=at)
    places.purge_places(at=at)
    requested_mail.purge_requested_mail(at=at)
    email_changes.purge_changes(at=at)

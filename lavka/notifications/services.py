"""Who sends a mail: claiming it, giving it back, marking it as sent."""

import datetime
from uuid import UUID

from django.db import transaction

from lavka.notifications.errors import MailInFlight
from lavka.notifications.models import SentMail


@transaction.atomic
def claim_mail(
    *,
    event_id: UUID,
    kind: str,
    user_id: UUID | None = None,
    order_id: UUID | None = None,
    at: datetime.datetime,
) -> bool:
    """Claim an event's mail about a user or an order for this worker; False when it was sent.

    Raises: MailInFlight, while another worker holds the claim, which ends after `SentMail.LEASE`.
    """
    SentMail.objects.bulk_create(
        [SentMail(event_id=event_id, kind=kind, user_id=user_id, order_id=order_id)],
        ignore_conflicts=True,
    )
    mail = SentMail.objects.filter(event_id=event_id, kind=kind)
    if mail.free(at).update(claimed_at=at):
        return True
    if mail.filter(sent_at=None).exists():
        raise MailInFlight
    return False


@transaction.atomic
def release_mail(*, event_id: UUID, kind: str) -> None:
    """Give a claimed mail back after it could not be sent."""
    SentMail.objects.filter(event_id=event_id, kind=kind, sent_at=None).update(claimed_at=None)


@transaction.atomic
def mark_mail_sent(*, event_id: UUID, kind: str, at: datetime.datetime) -> None:
    """Record that the mail server took the mail."""
    SentMail.objects.filter(event_id=event_id, kind=kind, sent_at=None).update(sent_at=at)


@transaction.atomic
def purge_sent_mail(*, before: datetime.datetime) -> int:
    """Delete the records of mails that were claimed before that; returns how many."""
    return SentMail.objects.filter(claimed_at__lt=before).delete()[0]

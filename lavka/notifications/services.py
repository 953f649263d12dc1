"""Who sends a mail: claiming it, giving it back, marking it as sent."""

import datetime
import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from lavka.kernel import locks
from lavka.kernel.conf import options
from lavka.notifications.errors import MailInFlight
from lavka.notifications.models import SentMail
from lavka.notifications.rules import purpose_of

logger = logging.getLogger(__name__)

_LOCK_CLASS = 7_305_934


@transaction.atomic
def claim_mail(
    *,
    event_id: UUID,
    kind: str,
    user_id: UUID | None = None,
    order_id: UUID | None = None,
    mailbox: str = "",
    at: datetime.datetime,
) -> bool:
    """Claim an event's mail about a user or an order for this worker; False when it was sent.

    A mail that draws on the budget of a `mailbox` (`selectors.budget_of`) is not sent when that got
    as many mails of its purpose within a day as the shop allows; that is final. While PostgreSQL is
    away nothing is counted, and nothing is sent.
    Raises: MailInFlight, while another worker holds the claim, which ends after `SentMail.LEASE`.
    Locks: the mailbox's budget, until the transaction ends.
    """
    about = {"user_id": user_id, "order_id": order_id, "mailbox": mailbox}
    SentMail.objects.bulk_create(
        [SentMail(event_id=event_id, kind=kind, **about)], ignore_conflicts=True
    )
    mail = SentMail.objects.filter(event_id=event_id, kind=kind)
    if mailbox and _is_used_up(mailbox, kind, event_id, at):
        mail.free(at).update(suppressed_at=at)
        logger.warning("a mailbox gets no more mail today", extra={"kind": kind})
        return False
    if mail.free(at).update(claimed_at=at):
        return True
    if mail.exclude(suppressed_at=None).exists():
        return False
    if mail.filter(sent_at=None).exists():
        raise MailInFlight
    return False


def _is_used_up(mailbox: str, kind: str, event_id: UUID, at: datetime.datetime) -> bool:
    purpose = purpose_of(kind)
    if not (most := options.mails_a_day[purpose]):
        return False
    lock_mailbox(mailbox)
    since = at - datetime.timedelta(days=1)
    return count_sent(mailbox, purpose, since=since, besides=event_id) >= most


def count_sent(mailbox: str, purpose: str, *, since: datetime.datetime, besides: UUID) -> int:
    """How many mails of a purpose a mailbox got, or is just getting, besides one event's."""
    kinds = [each for each in SentMail.Kind.values if purpose_of(each) == purpose]
    sent = SentMail.objects.filter(mailbox=mailbox, claimed_at__gt=since, kind__in=kinds)
    return sent.exclude(event_id=besides).count()


def lock_mailbox(mailbox: str) -> None:
    """Let nobody else count this mailbox's mails until the transaction ends."""
    locks.lock_names(_LOCK_CLASS, [mailbox])


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
    """Delete the records of mails that were claimed, or not sent, before that; returns how many."""
    old = Q(claimed_at__lt=before) | Q(suppressed_at__lt=before)
    return SentMail.objects.filter(old).delete()[0]

"""Sending a mail: claim it, talk to the mail server with no transaction open, record it."""

import logging
import time
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from lavka.notifications import drafts, letters, selectors, services
from lavka.notifications.letters import Draft
from lavka.notifications.models import SentMail

logger = logging.getLogger(__name__)
# How long a mail that is out waits for the database: with its sending less than
# CELERY_TASK_SOFT_TIME_LIMIT.
RECORD_PATIENCE_SECONDS = 45.0
RECORD_PAUSE_SECONDS = 0.5


def mail_user(*, kind: SentMail.Kind, event_id: UUID, user_id: UUID) -> None:
    """Mail a user what the event calls for; raises as `mail_buyer`."""
    _send(kind, event_id, drafts.to_user(kind, user_id), user_id=user_id)


def mail_email_change(
    *, kind: SentMail.Kind, event_id: UUID, user_id: UUID, change_id: UUID
) -> None:
    """Mail the new or the old address of a user, as `kind` says; raises as `mail_buyer`."""
    _send(kind, event_id, drafts.of_email_change(kind, change_id), user_id=user_id)


def mail_buyer(*, kind: SentMail.Kind, event_id: UUID, order_id: UUID) -> None:
    """Mail whoever placed an order, guests too, once however often this is called.

    A worker that dies between the mail server's answer and the record, or whose database stays
    away for `RECORD_PATIENCE_SECONDS` there, sends the mail again when its claim has run out:
    twice is better than never, and both copies have one Message-ID.
    Raises: MailInFlight; OSError, SMTP errors among them, and whatever else a mail server's answer
    brings about, with the mail given back.
    """
    _send(kind, event_id, drafts.to_buyer(kind, order_id), order_id=order_id)


def mail_shipment(*, event_id: UUID, shipment_id: UUID, order_id: UUID) -> None:
    """Mail a buyer what is in a parcel and where it is; raises as `mail_buyer`."""
    kind = SentMail.Kind.ORDER_SHIPPED
    _send(kind, event_id, drafts.of_shipment(shipment_id), order_id=order_id)


def mail_cancellation(*, event_id: UUID, order_id: UUID) -> None:
    """Mail a buyer that their order is cancelled, and what becomes of the money.

    Raises as `mail_buyer`.
    """
    kind = SentMail.Kind.ORDER_CANCELLED
    _send(kind, event_id, drafts.of_cancellation(order_id), order_id=order_id)


def mail_refund(*, event_id: UUID, order_id: UUID, operation_id: UUID | None) -> None:
    """Mail a buyer what goes back; raises as `mail_buyer`."""
    draft = drafts.of_refund(order_id, operation_id)
    _send(SentMail.Kind.ORDER_REFUNDED, event_id, draft, order_id=order_id)


def mail_return(*, event_id: UUID, return_id: UUID, order_id: UUID, status: str) -> None:
    """Mail a buyer what the shop decided on a return, or that it came; raises as `mail_buyer`."""
    draft = drafts.of_return(return_id, status)
    if draft is not None:
        _send(SentMail.Kind(draft.kind), event_id, draft, order_id=order_id)


def mail_waiting(*, event_id: UUID, user_id: UUID, variant_id: UUID) -> None:
    """Mail a customer that a variant is back in stock; raises as `mail_buyer`."""
    draft = drafts.to_waiting(user_id, variant_id)
    _send(SentMail.Kind.BACK_IN_STOCK, event_id, draft, user_id=user_id)


def _send(kind: SentMail.Kind, event_id: UUID, draft: Draft | None, **about: UUID) -> None:
    if draft is None:
        return
    mailbox = selectors.budget_of(kind, draft.to, **about)
    at = timezone.now()
    if not services.claim_mail(event_id=event_id, kind=kind, mailbox=mailbox, at=at, **about):
        return
    try:
        _message(draft, event_id).send()
    except Exception:
        services.release_mail(event_id=event_id, kind=kind)
        raise
    _record_sent(kind, event_id)


def _record_sent(kind: SentMail.Kind, event_id: UUID) -> None:
    """Outlast a restart of the database: a mail that is out and not on record goes out twice."""
    deadline = time.monotonic() + RECORD_PATIENCE_SECONDS
    while True:
        try:
            return services.mark_mail_sent(event_id=event_id, kind=kind, at=timezone.now())
        except (OperationalError, InterfaceError):
            if time.monotonic() >= deadline:
                raise
            logger.warning("a sent mail waits for the database", extra={"event_id": str(event_id)})
            connection.close()
            time.sleep(RECORD_PAUSE_SECONDS)


def _message(draft: Draft, event_id: UUID) -> EmailMultiAlternatives:
    letter = letters.written(draft)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        to=[draft.to],
        headers={
            "Message-ID": f"<{event_id}.{draft.kind}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": draft.language,
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message

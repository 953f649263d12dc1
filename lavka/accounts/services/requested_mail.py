"""Mails that anybody can have sent to an address: how often."""

import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from lavka.accounts import rules
from lavka.accounts.models import RequestedMail, User
from lavka.accounts.rules import MailPurpose

_CLAIM = """
INSERT INTO accounts_requestedmail AS known (email, purpose, sent_at, unused)
VALUES (%(email)s, %(purpose)s, %(at)s, 1)
ON CONFLICT (email, purpose) DO UPDATE SET
    sent_at = excluded.sent_at,
    unused = CASE WHEN known.sent_at < %(anew_before)s THEN 1 ELSE least(known.unused + 1, 20) END
WHERE known.sent_at <= %(at)s - least(%(first)s * power(2, known.unused - 1), %(longest)s)
RETURNING unused
"""


@transaction.atomic
def claim_mail(*, email: str, purpose: MailPurpose, at: datetime.datetime) -> bool:
    """Whether a mail is to be sent now: False while the latest is younger than its pause.

    The address may be nobody's; it costs the same.
    """
    pause = rules.PAUSES[purpose]
    parameters: dict[str, Any] = {
        "email": email,
        "purpose": purpose,
        "at": at,
        "anew_before": at - rules.PAUSES_KEPT,
        "first": pause.first,
        "longest": pause.longest,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        return cursor.fetchone() is not None


def let_next_mail_follow(*, users: QuerySet[User]) -> None:
    """Begin the pauses of these users' mails anew: what they have was used, or works no more."""
    RequestedMail.objects.filter(email__in=users.values("email")).delete()


@transaction.atomic
def purge_requested_mail(*, at: datetime.datetime) -> int:
    """Forget the pauses that begin anew; returns how many."""
    return RequestedMail.objects.filter(sent_at__lt=at - rules.PAUSES_KEPT).delete()[0]

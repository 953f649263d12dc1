"""A user's own row: changing it, closing the account."""

import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from lavka.accounts import rules, selectors
from lavka.accounts.errors import StaffAccount, WrongPassword
from lavka.accounts.events import AccountClosed
from lavka.accounts.models import User
from lavka.accounts.rules import Source
from lavka.accounts.services import passwords, requested_mail
from lavka.kernel import events, security_log
from lavka.kernel.errors import Unauthenticated
from lavka.kernel.security_log import Object, SecurityEvent


@transaction.atomic
def update_profile(*, user_id: UUID, changes: dict[str, Any]) -> User:
    """Change `name` and `language`, whichever is named.

    Raises: Unauthenticated, for an account that is closed.
    """
    if changes and not User.objects.filter(pk=user_id, is_active=True).update(**changes):
        raise Unauthenticated
    return selectors.active_user(user_id)


def close_account(
    *, user_id: UUID, current_password: str, source: Source, at: datetime.datetime
) -> None:
    """End an account for good: its address is free again, and its row names nobody.

    The row itself stays, because reviews and other history hang on it.
    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for one that is closed; StaffAccount.
    Emits: AccountClosed.
    """
    user = passwords.require_password(
        user_id=user_id, password=current_password, source=source, at=at
    )
    if user.is_staff:
        raise StaffAccount
    with transaction.atomic():
        requested_mail.let_next_mail_follow(users=User.objects.filter(pk=user_id))
        unchanged = User.objects.filter(pk=user_id, password=user.password, is_active=True)
        if not unchanged.update(
            is_active=False,
            closed_at=at,
            email=rules.closed_email(user_id),
            name="",
            email_verified_at=None,
            last_login=None,
            password=make_password(None),
        ):
            raise WrongPassword
        user.sessions.all().delete()
        user.addresses.all().delete()
        user.places.all().delete()
        user.email_changes.all().delete()
        events.publish(AccountClosed(user_id=user_id))
        security_log.record(SecurityEvent.ACCOUNT_CLOSED, Object("user", user_id))

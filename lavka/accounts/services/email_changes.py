"""Changing one's address: asked for, confirmed from the new mailbox, undone from the old one."""

import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from lavka.accounts import selectors, tokens
from lavka.accounts.errors import InvalidToken, WrongPassword
from lavka.accounts.events import EmailChanged, EmailChangeRequested, PasswordResetRequested
from lavka.accounts.models import EmailChange, User
from lavka.accounts.rules import Source
from lavka.accounts.services import credentials, passwords, sessions
from lavka.kernel import events, security_log
from lavka.kernel.errors import FieldError, Invalid
from lavka.kernel.security_log import Object, SecurityEvent

# Whoever asks for the same again within it has a mail that works.
PAUSE = datetime.timedelta(minutes=1)


def request_change(
    *,
    user_id: UUID,
    new_email: str,
    current_password: str,
    session_id: UUID,
    source: Source,
    at: datetime.datetime,
) -> None:
    """Have a link mailed to the new address that makes it the user's, and the old address told.

    It takes the place of an earlier wish. An address that somebody else has costs the same: its
    mailbox gets nothing, and nobody learns of it.
    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for an account that is closed; Invalid,
    for the present address.
    Locks: the user row. Emits: EmailChangeRequested.
    """
    proven = passwords.require_password(
        user_id=user_id, password=current_password, source=source, at=at
    )
    if new_email == proven.email:
        detail = _("This is your address already.")
        raise Invalid(errors=[FieldError("#/email", "unchanged", detail)])
    with transaction.atomic():
        # Of parallel wishes the later one stands; another password or address prevents both.
        unchanged = User.objects.select_for_update(no_key=True).filter(
            pk=user_id, password=proven.password, email=proven.email, is_active=True
        )
        user = unchanged.first()
        if user is None:
            raise WrongPassword
        _replace_pending(user, new_email, session_id, at)


def _replace_pending(user: User, new_email: str, session_id: UUID, at: datetime.datetime) -> None:
    pending = EmailChange.objects.filter(user=user, confirmed_at=None)
    latest = pending.filter(new_email=new_email, requested_at__gt=at - PAUSE).first()
    if latest is not None and tokens.is_email_binding_of(user, latest):
        return
    pending.delete()
    change = EmailChange.objects.create(
        user=user,
        old_email=user.email,
        new_email=new_email,
        binding=tokens.email_binding_of(user),
        session_id=session_id,
        requested_at=at,
    )
    events.publish(EmailChangeRequested(user_id=user.pk, change_id=change.pk))
    _log(SecurityEvent.EMAIL_CHANGE_REQUESTED, user)


@transaction.atomic
def confirm_change(*, token: str, at: datetime.datetime) -> None:
    """Make the new address the user's, by a token that was mailed to it.

    All sessions end but the one in which it was asked for; links that were mailed to the old
    address work no more, but for the one that undoes this.
    Raises: InvalidToken, also for an address that somebody else has by now.
    Locks: the user row. Emits: EmailChanged.
    """
    _lock_user(tokens.read_email_change(token))
    change = selectors.email_change_to_confirm(token)
    user = change.user
    _set_email(user, change.new_email, at)
    EmailChange.objects.filter(pk=change.pk).update(confirmed_at=at)
    sessions.revoke_sessions(user_ids=[user.pk], at=at, keep=change.session_id)
    events.publish(EmailChanged(user_id=user.pk, change_id=change.pk))
    _log(SecurityEvent.EMAIL_CHANGED, user, is_verified=True)


@transaction.atomic
def undo_change(*, token: str, at: datetime.datetime) -> None:
    """Give the user the old address back, or keep it, by a token that was mailed to it.

    Whoever asked for the change knew the password, so it is taken away and all sessions end; a
    mail with a link for a new one follows. Changes that came later are undone with it.
    Raises: InvalidToken, also when somebody else has the old address by now.
    Locks: the user row. Emits: PasswordResetRequested; EmailChanged, when it had been changed.
    """
    _lock_user(tokens.read_email_undo(token))
    change = selectors.email_change_to_undo(token)
    user = change.user
    _set_email(user, change.old_email, at, password=make_password(None))
    selectors.email_changes_since(change).delete()
    sessions.revoke_sessions(user_ids=[user.pk], at=at)
    user.places.all().delete()
    events.publish(PasswordResetRequested(user_id=user.pk))
    if change.confirmed_at is not None:
        events.publish(EmailChanged(user_id=user.pk, change_id=change.pk))
    _log(SecurityEvent.EMAIL_CHANGE_UNDONE, user)


@transaction.atomic
def purge_changes(*, at: datetime.datetime) -> int:
    """Forget the changes that can neither be confirmed nor undone any more; returns how many."""
    oldest = at - tokens.EMAIL_UNDO_LIFETIME - tokens.EMAIL_CHANGE_LIFETIME
    return EmailChange.objects.filter(requested_at__lt=oldest).delete()[0]


def _lock_user(change_id: UUID) -> None:
    """Let parallel uses of links of a user's wait, and then look again."""
    owner = EmailChange.objects.filter(pk=change_id).values("user")
    # No weaker lock: the address is a key.
    list(User.objects.select_for_update().filter(pk__in=owner))


def _set_email(user: User, email: str, at: datetime.datetime, **changes: str) -> None:
    """The unique constraint decides between users who want one address; raises InvalidToken."""
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(email=email, email_verified_at=at, **changes)
    except IntegrityError:
        raise InvalidToken from None
    credentials.unlock(emails=[email])


def _log(event: SecurityEvent, user: User, **details: Any) -> None:
    security_log.record(event, Object("user", user.pk), actor=user.as_actor, **details)

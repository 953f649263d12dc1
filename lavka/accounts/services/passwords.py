"""Passwords: forgotten, reset, changed."""

import datetime
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.db import transaction

from lavka.accounts import selectors
from lavka.accounts.errors import InvalidToken, WrongPassword
from lavka.accounts.events import PasswordChanged, PasswordResetRequested
from lavka.accounts.models import Session, User
from lavka.accounts.rules import MailPurpose, Source
from lavka.accounts.services import credentials, places, registration, requested_mail, sessions
from lavka.kernel import events, security_log
from lavka.kernel.security_log import Object, SecurityEvent


@transaction.atomic
def request_reset(*, email: str, at: datetime.datetime) -> None:
    """Have a reset mail sent to the address's owner.

    An unknown address does the same work: its event names nobody, and nobody gets a mail.
    Emits: PasswordResetRequested.
    """
    owner_id = User.objects.filter(email=email).values_list("pk", flat=True).first()
    if requested_mail.claim_mail(email=email, purpose=MailPurpose.RESET_PASSWORD, at=at):
        events.publish(PasswordResetRequested(user_id=owner_id or uuid4()))


def reset_password(*, token: str, password: str, source: Source, at: datetime.datetime) -> str:
    """Set a new password by a mail's token, which also proves the address; ends all sessions.

    Returns the token by which the shop knows the device from now on, instead of all others.
    Raises: InvalidToken; Invalid, for a password that the validators refuse.
    Emits: PasswordChanged.
    """
    user = selectors.user_of_reset(token)
    credentials.require_good_password(password, user=user, pointer="#/password")
    encoded = make_password(password)
    with transaction.atomic():
        if not _replace(user, encoded):
            raise InvalidToken
        unverified = User.objects.filter(pk=user.pk, email_verified_at=None)
        if unverified.update(email_verified_at=at):
            registration.log_verified(user, method="reset")
        credentials.unlock(emails=[user.email])
        sessions.revoke_sessions(user_ids=[user.pk], at=at)
        _log(SecurityEvent.PASSWORD_RESET, user)
        return places.replace_places(user_id=user.pk, source=source, at=at)


def change_password(
    *,
    user_id: UUID,
    current_password: str,
    new_password: str,
    keep_session: UUID,
    source: Source,
    at: datetime.datetime,
) -> str:
    """Replace the password of somebody who knows it; ends all their sessions but one.

    Returns the token by which the shop knows the device from now on, instead of all others.
    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for an account that is closed;
    Invalid, for a password that the validators refuse.
    Emits: PasswordChanged.
    """
    user = require_password(user_id=user_id, password=current_password, source=source, at=at)
    credentials.require_good_password(new_password, user=user, pointer="#/new_password")
    encoded = make_password(new_password)
    with transaction.atomic():
        if not _replace(user, encoded):
            raise WrongPassword
        sessions.revoke_sessions(user_ids=[user_id], at=at, keep=keep_session)
        _log(SecurityEvent.PASSWORD_CHANGED, user)
        return places.replace_places(user_id=user_id, source=source, at=at)


def require_password(
    *, user_id: UUID, password: str, source: Source, at: datetime.datetime
) -> User:
    """The user, who proved their password once more.

    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for an account that is closed.
    """
    email = selectors.active_user(user_id).email
    user = credentials.proven_user(
        email=email, password=password, source=source, at=at, event=SecurityEvent.PASSWORD_CHECK
    )
    if user is None or user.pk != user_id:
        raise WrongPassword
    return user


def _replace(user: User, encoded: str) -> bool:
    """Guarded by the old hash: of two parallel changes the first wins."""
    unchanged = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if not unchanged.update(password=encoded):
        return False
    events.publish(PasswordChanged(user_id=user.pk))
    return True


def _log(event: SecurityEvent, user: User) -> None:
    """By its owner: whoever knows the password, or reads the account's mail."""
    security_log.record(event, Object("user", user.pk), actor=user.as_actor)


@transaction.atomic
def record_set_password(*, user_id: UUID, at: datetime.datetime) -> None:
    """After a password was set or taken in the admin: end the sessions, and tell its owner.

    Those of the admin end with the password that they are bound to.
    Emits: PasswordChanged.
    """
    Session.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=at)
    events.publish(PasswordChanged(user_id=user_id))

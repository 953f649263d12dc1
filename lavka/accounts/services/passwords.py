"""Passwords: forgotten, reset, changed."""

import datetime
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models.functions import Coalesce

from lavka.accounts import selectors
from lavka.accounts.errors import InvalidToken, WrongPassword
from lavka.accounts.events import PasswordChanged, PasswordResetRequested
from lavka.accounts.models import User
from lavka.accounts.services import credentials, sessions
from lavka.kernel import events


@transaction.atomic
def request_reset(*, email: str) -> None:
    """Have a reset mail sent to the address's owner.

    An unknown address does the same work: its event names nobody, and nobody gets a mail.
    Emits: PasswordResetRequested.
    """
    owner_id = User.objects.filter(email=email).values_list("pk", flat=True).first()
    events.publish(PasswordResetRequested(user_id=owner_id or uuid4()))


def reset_password(*, token: str, password: str, at: datetime.datetime) -> None:
    """Set a new password by a mail's token, which also proves the address; ends all sessions.

    Raises: InvalidToken; Invalid, for a password that the validators refuse.
    Emits: PasswordChanged.
    """
    user = selectors.user_of_reset(token)
    credentials.require_good_password(password, user=user, pointer="#/password")
    encoded = make_password(password)
    with transaction.atomic():
        if not _replace(user, encoded):
            raise InvalidToken
        User.objects.filter(pk=user.pk).update(email_verified_at=Coalesce("email_verified_at", at))
        credentials.unlock(emails=[user.email])
        sessions.revoke_sessions(user_ids=[user.pk], at=at)


def change_password(
    *,
    user_id: UUID,
    current_password: str,
    new_password: str,
    keep_session: UUID,
    at: datetime.datetime,
) -> None:
    """Replace the password of somebody who knows it; ends all their sessions but one.

    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for an account that is closed;
    Invalid, for a password that the validators refuse.
    Emits: PasswordChanged.
    """
    user = require_password(user_id=user_id, password=current_password, at=at)
    credentials.require_good_password(new_password, user=user, pointer="#/new_password")
    encoded = make_password(new_password)
    with transaction.atomic():
        if not _replace(user, encoded):
            raise WrongPassword
        sessions.revoke_sessions(user_ids=[user_id], at=at, keep=keep_session)


def require_password(*, user_id: UUID, password: str, at: datetime.datetime) -> User:
    """The user, who proved their password once more.

    Raises: WrongPassword; TooManyAttempts; Unauthenticated, for an account that is closed.
    """
    email = selectors.active_user(user_id).email
    user = credentials.proven_user(email=email, password=password, at=at)
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


@transaction.atomic
def record_set_password(*, user_id: UUID, at: datetime.datetime) -> None:
    """After staff set somebody's password: end their sessions and tell them.

    Emits: PasswordChanged.
    """
    sessions.revoke_sessions(user_ids=[user_id], at=at)
    events.publish(PasswordChanged(user_id=user_id))

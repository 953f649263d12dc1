"""Proving who one is: passwords, behind a lock that repeated failures close."""

import datetime
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from lavka.accounts import rules
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import LoginFailure, User
from lavka.kernel.errors import FieldError, Invalid

# One statement checks the lock and counts, so parallel guesses cannot all pass the check.
_CLAIM = """
INSERT INTO accounts_loginfailure AS known (email, failures, failed_at)
VALUES (%(email)s, 1, %(at)s)
ON CONFLICT (email) DO UPDATE SET
    failed_at = excluded.failed_at,
    failures = CASE WHEN known.failed_at < %(forget_before)s THEN 1 ELSE known.failures + 1 END,
    locked_until = CASE
        WHEN known.failed_at >= %(forget_before)s AND known.failures >= %(free)s
        THEN %(at)s + least(
            %(first)s * power(2, least(known.failures - %(free)s, 10)), %(longest)s
        )
    END
WHERE known.locked_until IS NULL OR known.locked_until <= %(at)s
RETURNING failures
"""


@transaction.atomic
def claim_attempt(*, email: str, at: datetime.datetime) -> None:
    """Count an attempt on an address as failed, before it is known whether it is.

    Raises: TooManyAttempts, while the address is locked; the attempt is not counted then.
    """
    parameters: dict[str, Any] = {
        "email": email,
        "at": at,
        "forget_before": at - rules.FORGET_AFTER,
        "free": rules.FREE_FAILURES,
        "first": rules.FIRST_LOCK,
        "longest": rules.LONGEST_LOCK,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        if cursor.fetchone():
            return
    locked = LoginFailure.objects.filter(email=email).first()
    until = at if locked is None or locked.locked_until is None else locked.locked_until
    raise TooManyAttempts(retry_after_seconds=max(1, round((until - at).total_seconds())))


@transaction.atomic
def unlock(*, emails: list[str]) -> int:
    """Forget the failures of these addresses; returns how many had some."""
    return LoginFailure.objects.filter(email__in=emails).delete()[0]


def proven_user(*, email: str, password: str, at: datetime.datetime) -> User | None:
    """The active user whose e-mail and password these are, or None after the same work.

    The attempt is counted in a transaction of its own, and none is open while the password is
    hashed: exactly one hash in every case.
    Raises: TooManyAttempts, also for the right password.
    """
    claim_attempt(email=email, at=at)
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)
        return None
    if not user.check_password(password) or not user.is_active:
        return None
    unlock(emails=[email])
    return user


def require_good_password(password: str, *, user: User, pointer: str) -> None:
    """Raises Invalid, naming `pointer`, for a password that the validators refuse."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as refused:
        raise Invalid(
            errors=[
                FieldError(pointer, each.code or "invalid", message)
                for each, message in zip(refused.error_list, refused.messages, strict=True)
            ]
        ) from None


@transaction.atomic
def purge_failures(*, at: datetime.datetime) -> int:
    """Delete the failures that would start anew at the next attempt; returns how many."""
    return LoginFailure.objects.filter(failed_at__lt=at - rules.FORGET_AFTER).delete()[0]

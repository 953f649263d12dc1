"""Proving who one is by a password; failures put the next attempt off."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from lavka.accounts import rules
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import LoginFailure, User
from lavka.accounts.rules import Source, Throttle
from lavka.accounts.services import places
from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.errors import FieldError, Invalid
from lavka.kernel.security_log import Object, Outcome, SecurityEvent

# Failures that time has not forgotten yet.
_LEFT = (
    "greatest(known.failures - greatest(extract(epoch FROM %(at)s - known.failed_at), 0)"
    " / extract(epoch FROM %(every)s), 0)"
)
# One statement checks the lock and counts, so parallel guesses cannot all pass the check.
_CLAIM = f"""
INSERT INTO accounts_failedsignin AS known (email, source, failures, failed_at)
VALUES (%(email)s, %(source)s, 1, %(at)s)
ON CONFLICT (email, source) DO UPDATE SET
    failures = {_LEFT} + 1,
    failed_at = excluded.failed_at,
    locked_until = CASE WHEN ceil({_LEFT}) >= %(free)s THEN
        %(at)s + least(%(first)s * power(2, least(ceil({_LEFT}) - %(free)s, 20)), %(longest)s)
    END
WHERE known.locked_until IS NULL OR known.locked_until <= %(at)s
RETURNING failures
"""  # noqa: S608 - no value in it
_FORGIVE = """
UPDATE accounts_failedsignin SET
    failures = greatest(failures - %(forgiven)s, 0),
    locked_until = CASE WHEN failures - %(forgiven)s > %(free)s THEN locked_until END
WHERE email = %(email)s AND source = %(source)s
"""


@dataclass(frozen=True, slots=True)
class Counter:
    """One row of failures."""

    email: str
    source: str
    throttle: Throttle


def claim_attempt(*, email: str, source: Source, at: datetime.datetime) -> list[Counter]:
    """Count an attempt as failed, before it is known whether it is; returns where.

    From a known device or network only what came from there counts, so others lock neither. A
    device that has locked itself is one among others in its network.
    Raises: TooManyAttempts, while that is locked, too; then nothing is counted.
    """
    waits: list[int] = []
    for counters in _ways_in(email, source):
        try:
            _claim(counters, at)
        except TooManyAttempts as refused:
            waits.append(refused.retry_after_seconds)
        else:
            return counters
    raise TooManyAttempts(retry_after_seconds=min(waits))


def _ways_in(email: str, source: Source) -> Iterator[list[Counter]]:
    """What an attempt counts in, in the order in which rows are locked; the last is its place's."""
    known = places.known_places(email=email, source=source)
    yield from ([Counter(email, place, rules.FROM_ONE_PLACE)] for place in known)
    if source.network not in known:
        yield [
            Counter("", source.network, rules.FROM_ONE_NETWORK),
            Counter(email, "", rules.ON_ONE_ACCOUNT),
            Counter(email, source.network, rules.FROM_ONE_PLACE),
        ]


@transaction.atomic
def _claim(counters: list[Counter], at: datetime.datetime) -> None:
    for counter in counters:
        if not _count(counter, at):
            raise TooManyAttempts(retry_after_seconds=_wait(counter, at))


def _count(counter: Counter, at: datetime.datetime) -> bool:
    throttle = counter.throttle
    parameters: dict[str, Any] = {
        "email": counter.email,
        "source": counter.source,
        "at": at,
        "free": throttle.free,
        "first": throttle.first,
        "longest": throttle.longest,
        "every": throttle.every,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        return cursor.fetchone() is not None


def _wait(counter: Counter, at: datetime.datetime) -> int:
    locked = LoginFailure.objects.filter(email=counter.email, source=counter.source).first()
    until = at if locked is None or locked.locked_until is None else locked.locked_until
    return max(1, round((until - at).total_seconds()))


@transaction.atomic
def forgive(*, counters: list[Counter]) -> None:
    """Forget the failures of a place that proved right, also where they count with others'."""
    *shared, own = counters
    failures = LoginFailure.objects.filter(email=own.email, source=own.source)
    forgiven = failures.values_list("failures", flat=True).first() or 0
    with connection.cursor() as cursor:
        for counter in shared:
            parameters = {
                "email": counter.email,
                "source": counter.source,
                "forgiven": forgiven,
                "free": counter.throttle.free,
            }
            cursor.execute(_FORGIVE, parameters)
    failures.delete()
    of_others = Q(email="", source=own.source) | Q(email=own.email, source="")
    LoginFailure.objects.filter(of_others, failures=0).delete()


@transaction.atomic
def unlock(*, emails: list[str]) -> int:
    """Forget the failures on these addresses, from wherever; returns how many had some."""
    failures = LoginFailure.objects.filter(email__in=set(emails) - {""})
    count = failures.values("email").distinct().count()
    failures.delete()
    return count


@transaction.atomic
def clear_failures(*, emails: list[str]) -> int:
    """`unlock` by staff."""
    for email in emails:
        _log_clearing(email)
    return unlock(emails=emails)


@transaction.atomic
def delete_failures(*, failures: Iterable[LoginFailure]) -> None:
    """Forget these alone, by staff."""
    for failure in failures:
        _log_clearing(failure.email, source=failure.source)
        failure.delete()


def _log_clearing(email: str, **details: Any) -> None:
    user = User.objects.filter(email=email).first()
    if user is None and email:
        details["email_digest"] = security_log.digest_of(email)
    on = Object("user", None if user is None else user.pk)
    security_log.record(SecurityEvent.LOGIN_FAILURES_CLEARED, on, **details)


def proven_user(
    *,
    email: str,
    password: str,
    source: Source,
    at: datetime.datetime,
    event: SecurityEvent = SecurityEvent.SIGN_IN,
) -> User | None:
    """The active user whose e-mail and password these are, or None after the same work.

    The attempt is counted in a transaction of its own, and none is open while the password is
    hashed: exactly one hash in every case. A refusal is logged as `event`, a success is left to
    the caller. Raises: TooManyAttempts, also for the right password.
    """
    try:
        counters = claim_attempt(email=email, source=source, at=at)
    except TooManyAttempts as refused:
        user = User.objects.filter(email=email).first()
        _log_refusal(event, email, user, Outcome.LOCKED, seconds=refused.retry_after_seconds)
        raise
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)
    elif user.check_password(password) and user.is_active:
        forgive(counters=counters)
        return user
    _log_refusal(event, email, user, Outcome.FAILURE)
    return None


def _log_refusal(
    event: SecurityEvent, email: str, user: User | None, outcome: Outcome, **details: Any
) -> None:
    if user is None:
        details["email_digest"] = security_log.digest_of(email)
    # Whoever signs in is nobody yet.
    actor = Actor.customer() if event == SecurityEvent.SIGN_IN else None
    on = Object("user", None if user is None else user.pk)
    security_log.record(event, on, outcome=outcome, actor=actor, method="password", **details)


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
    """Delete the failures that are long forgotten; returns how many."""
    return LoginFailure.objects.filter(failed_at__lt=at - rules.FAILURES_KEPT).delete()[0]

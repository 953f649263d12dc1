"""Becoming a customer and proving one's address."""

import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from lavka.accounts import tokens
from lavka.accounts.errors import InvalidToken
from lavka.accounts.events import (
    CustomerRegistered,
    EmailVerified,
    RegistrationRepeated,
    VerificationRequested,
)
from lavka.accounts.models import User
from lavka.accounts.rules import MailPurpose
from lavka.accounts.services import credentials, requested_mail
from lavka.kernel import events, security_log
from lavka.kernel.errors import Unauthenticated, Unavailable
from lavka.kernel.security_log import Object, SecurityEvent


def register(*, email: str, password: str, name: str, language: str, at: datetime.datetime) -> UUID:
    """Create a customer and return their id; for a taken address, a fresh id that is nobody's.

    The owner of a taken address is told of it now and then, not each time.
    Both cases do the same work, so neither the answer nor its time tells them apart.
    Raises: Invalid, for a password that the validators refuse.
    Emits: CustomerRegistered, or RegistrationRepeated for the owner of a taken address.
    """
    user = User(email=email, name=name, language=language)
    credentials.require_good_password(password, user=user, pointer="#/password")
    user.password = make_password(password)
    return _insert(user, at)


@transaction.atomic
def _insert(user: User, at: datetime.datetime) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuidv7()")
        user.pk = user_id = UUID(str(cursor.fetchone()[0]))
    # The unique constraint decides between parallel registrations of one address.
    User.objects.bulk_create([user], ignore_conflicts=True)
    owner_id = User.objects.filter(email=user.email).values_list("pk", flat=True).first()
    if owner_id is None:  # its owner closed the account this very moment
        raise Unavailable
    is_new = owner_id == user_id
    # Claimed for a new account too, so that a second try costs the same whoever was first.
    is_due = requested_mail.claim_mail(email=user.email, purpose=MailPurpose.ACCOUNT_EXISTS, at=at)
    if is_new or is_due:
        event = CustomerRegistered if is_new else RegistrationRepeated
        events.publish(event(user_id=owner_id))
    if is_new:
        security_log.record(SecurityEvent.ACCOUNT_CREATED, Object("user", user_id))
    return user_id


@transaction.atomic
def verify_email(*, token: str, at: datetime.datetime) -> None:
    """Record that the token's user reads the mail of their address; a second time is no error.

    Raises: InvalidToken, also when the account has another address by now.
    Locks: the user row. Emits: EmailVerified, the first time.
    """
    user_id, email = tokens.read_verification(token)
    owner = User.objects.filter(pk=user_id, email=email, is_active=True)
    user = owner.select_for_update(no_key=True).first()
    if user is None:
        raise InvalidToken
    if user.is_email_verified:
        return
    owner.update(email_verified_at=at)
    events.publish(EmailVerified(user_id=user_id))
    log_verified(user, method="verification")


def log_verified(user: User, *, method: str) -> None:
    """Log that whoever reads the account's mail was seen for the first time, by this mail."""
    on = Object("user", user.pk)
    security_log.record(SecurityEvent.EMAIL_VERIFIED, on, actor=user.as_actor, method=method)


@transaction.atomic
def request_verification(*, user_id: UUID, at: datetime.datetime) -> None:
    """Have the verification mail sent again; a verified address needs none.

    Raises: Unauthenticated, for an account that is closed.
    Emits: VerificationRequested.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise Unauthenticated
    if user.is_email_verified:
        return
    if requested_mail.claim_mail(email=user.email, purpose=MailPurpose.VERIFY_EMAIL, at=at):
        events.publish(VerificationRequested(user_id=user_id))

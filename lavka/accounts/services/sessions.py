"""Signing in and out: sessions, each a family of refresh tokens of which the newest is good."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F

from lavka.accounts import rules, selectors, tokens
from lavka.accounts.errors import (
    InvalidRefreshToken,
    InvalidToken,
    RefreshTokenReused,
    WrongCredentials,
)
from lavka.accounts.events import PasswordResetRequested, SignInLinkRequested
from lavka.accounts.models import Session, User
from lavka.accounts.rules import MailPurpose, Source
from lavka.accounts.services import credentials, places, registration, requested_mail
from lavka.accounts.tokens import TokenPair
from lavka.kernel import events, security_log
from lavka.kernel.security_log import Object, Outcome, SecurityEvent


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: its tokens, and the one by which the shop will know the device."""

    pair: TokenPair
    device: str


def sign_in(
    *, email: str, password: str, source: Source, user_agent: str, at: datetime.datetime
) -> SignedIn:
    """Open a session for whoever proves their password.

    Raises: WrongCredentials; TooManyAttempts.
    """
    user = credentials.proven_user(email=email, password=password, source=source, at=at)
    if user is None:
        raise WrongCredentials
    with transaction.atomic():
        # A password change either ends this session or prevents it.
        unchanged = User.objects.select_for_update(no_key=True).filter(
            pk=user.pk, password=user.password, is_active=True
        )
        present = unchanged.first()  # with the rights of now
        if present is None:
            raise WrongCredentials
        return _open_session(user=present, source=source, user_agent=user_agent, at=at)


@transaction.atomic
def sign_in_by_link(
    *, token: str, source: Source, user_agent: str, at: datetime.datetime
) -> SignedIn:
    """Open a session for whoever reads the account's mail, however often others failed.

    Raises: InvalidToken. Locks: the user row.
    """
    user = redeem_link(token=token, at=at)
    return _open_session(user=user, source=source, user_agent=user_agent, at=at, method="link")


@transaction.atomic
def redeem_link(*, token: str, at: datetime.datetime) -> User:
    """Use the token of a mailed link up, with all that were mailed before it; returns its user.

    The first proof of a customer's address takes the password away, ends all sessions, and has a
    link for a new one mailed: anybody could have registered with the address.
    Raises: InvalidToken. Locks: the user row. Emits: PasswordResetRequested.
    Source: Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022.
    """
    try:
        claims = tokens.read_sign_in(token, at=at)
        # Of parallel uses the second waits here, and finds the token used up.
        list(User.objects.select_for_update(no_key=True).filter(pk=claims.user_id))
        user = selectors.user_of_sign_in(token, at)
    except InvalidToken:
        security_log.record(SecurityEvent.SIGN_IN, outcome=Outcome.FAILURE, method="link")
        raise
    # Staff's accounts are made by staff.
    if not (user.is_email_verified or user.is_staff):
        _remove_password(user, at=at)
    if not user.is_email_verified:
        registration.log_verified(user, method="link")
    # Also by a clock that is behind that of whoever mailed it.
    user.links_used_at = max(at, claims.issued_at)
    user.email_verified_at = user.email_verified_at or at
    user.save(update_fields=["links_used_at", "email_verified_at"])
    requested_mail.let_next_mail_follow(users=User.objects.filter(pk=user.pk))
    return user


def _remove_password(user: User, *, at: datetime.datetime) -> None:
    revoke_sessions(user_ids=[user.pk], at=at)
    user.refresh_from_db(fields=["session_version"])
    user.set_unusable_password()
    user.save(update_fields=["password"])
    user.places.all().delete()
    events.publish(PasswordResetRequested(user_id=user.pk))
    _log(SecurityEvent.PASSWORD_SET, user.pk, actor=user.as_actor, usable=False)


def log_sign_in(user: User, *, method: str, session: UUID | None = None) -> None:
    """Log that the user signed in; without a session of the API it is one of the admin."""
    security_log.record(
        SecurityEvent.SIGN_IN,
        Object("user", user.pk),
        actor=user.as_actor,
        method=method,
        via="admin" if session is None else "api",
        session=session,
    )


@transaction.atomic
def request_link(*, email: str, at: datetime.datetime) -> None:
    """Have a link mailed to the address's owner that signs them in.

    An unknown address does the same work: its event names nobody, and nobody gets a mail.
    Emits: SignInLinkRequested.
    """
    owner_id = User.objects.filter(email=email).values_list("pk", flat=True).first()
    if requested_mail.claim_mail(email=email, purpose=MailPurpose.SIGN_IN, at=at):
        events.publish(SignInLinkRequested(user_id=owner_id or uuid4()))


def _open_session(
    *,
    user: User,
    source: Source,
    user_agent: str,
    at: datetime.datetime,
    method: str = "password",
) -> SignedIn:
    """For a user whose row is locked."""
    session = Session.objects.create(
        user=user,
        current_token=uuid4(),
        created_at=at,
        used_at=at,
        expires_at=rules.session_life(is_staff=user.is_staff).ends_at(began_at=at, at=at),
        user_agent=user_agent,
    )
    device = places.remember_place(user_id=user.pk, source=source, at=at)
    log_sign_in(user, method=method, session=session.pk)
    return SignedIn(tokens.pair_of(user=user, session=session), device)


def refresh(*, raw: str, at: datetime.datetime) -> TokenPair:
    """Exchange a session's newest refresh token for a new pair.

    An older one was stolen or copied, so it ends the session for thief and owner alike.
    Raises: InvalidRefreshToken; RefreshTokenReused, with the session revoked and committed.
    Source: RFC 9700, section 4.14.2.
    """
    claims = tokens.read_refresh(raw)
    pair = _rotate(claims, at=at)
    if pair is not None:
        return pair
    if _revoke_if_replayed(claims, at=at):
        raise RefreshTokenReused
    raise InvalidRefreshToken


@transaction.atomic
def _rotate(claims: tokens.RefreshClaims, *, at: datetime.datetime) -> TokenPair | None:
    newest = Session.objects.open(at).filter(pk=claims.session_id, current_token=claims.token_id)
    # The guard is on the row itself: a join would be checked against an older version of it.
    session = newest.select_for_update(no_key=True).first()
    if session is None:
        return None
    user = User.objects.get(pk=session.user_id)
    life = rules.session_life(is_staff=user.is_staff)
    # It may have begun as one that lasts longer.
    ends_at = life.ends_at(began_at=session.created_at, at=session.used_at)
    if ends_at <= at or not user.is_active:
        raise InvalidRefreshToken
    session.current_token, session.used_at = uuid4(), at
    session.expires_at = life.ends_at(began_at=session.created_at, at=at)
    session.save(update_fields=["current_token", "used_at", "expires_at"])
    return tokens.pair_of(user=user, session=session)


@transaction.atomic
def _revoke_if_replayed(claims: tokens.RefreshClaims, *, at: datetime.datetime) -> bool:
    family = Session.objects.filter(pk=claims.session_id).exclude(current_token=claims.token_id)
    family.filter(revoked_at=None).update(revoked_at=at)
    session = family.first()
    if session is None:
        return False
    on = Object("user", session.user_id)
    reuse, failure = SecurityEvent.REFRESH_TOKEN_REUSE, Outcome.FAILURE
    security_log.record(reuse, on, outcome=failure, session=session.pk)
    return True


@transaction.atomic
def sign_out(*, raw: str, at: datetime.datetime) -> None:
    """End the session of a refresh token; one that is good for nothing is no error (RFC 7009)."""
    try:
        claims = tokens.read_refresh(raw)
    except InvalidRefreshToken:
        return
    going_on = Session.objects.filter(pk=claims.session_id, revoked_at=None)
    session = going_on.select_related("user").first()
    if session is not None and going_on.update(revoked_at=at):
        actor = session.user.as_actor
        _log(SecurityEvent.SIGN_OUT, session.user_id, actor=actor, session=session.pk)


@transaction.atomic
def revoke_session(*, user_id: UUID, session_id: UUID, at: datetime.datetime) -> None:
    """End one of the user's open sessions; raises Session.DoesNotExist for any other."""
    mine = Session.objects.open(at).filter(user_id=user_id, pk=session_id)
    if not mine.update(revoked_at=at):
        raise Session.DoesNotExist
    _log(SecurityEvent.SESSIONS_ENDED, user_id, session=session_id)


@transaction.atomic
def sign_out_everywhere(*, user_ids: list[UUID], at: datetime.datetime) -> int:
    """End all sessions of these users, by themselves or by staff; returns how many."""
    for user_id in user_ids:
        _log(SecurityEvent.SESSIONS_ENDED, user_id)
    return revoke_sessions(user_ids=user_ids, at=at)


@transaction.atomic
def delete_sessions(*, sessions: Iterable[Session]) -> None:
    """Sign these out and forget them, by staff."""
    for session in sessions:
        _log(SecurityEvent.SESSIONS_ENDED, session.user_id, session=session.pk)
        session.delete()


def _log(event: SecurityEvent, user_id: UUID, **details: Any) -> None:
    security_log.record(event, Object("user", user_id), **details)


@transaction.atomic
def revoke_sessions(
    *, user_ids: list[UUID], at: datetime.datetime, keep: UUID | None = None
) -> int:
    """End all sessions of these users but `keep`, those of the admin too; returns how many.

    Of the admin's nobody knows the number. Locks: the user rows, in the order of ids.
    """
    users = User.objects.filter(pk__in=user_ids)
    locked = users.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
    User.objects.filter(pk__in=list(locked)).update(session_version=F("session_version") + 1)
    requested_mail.let_next_mail_follow(users=users)
    theirs = Session.objects.filter(user_id__in=user_ids, revoked_at=None)
    if keep is not None:
        theirs = theirs.exclude(pk=keep)
    return theirs.update(revoked_at=at)


@transaction.atomic
def purge_sessions(*, at: datetime.datetime) -> int:
    """Delete the sessions that have expired; returns how many."""
    return Session.objects.filter(expires_at__lt=at).delete()[0]

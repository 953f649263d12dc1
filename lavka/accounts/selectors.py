"""How accounts are read."""

import datetime
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import FETCH_RAISE, QuerySet

from lavka.accounts import rules, tokens
from lavka.accounts.errors import InvalidToken
from lavka.accounts.models import Address, EmailChange, Mailbox, Session, User
from lavka.kernel import database
from lavka.kernel.errors import Unauthenticated

# Of a search of the staff's.
MOST_WORDS = 10


def active_user(user_id: UUID) -> User:
    """The user of an access token; raises Unauthenticated once the account is closed."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise Unauthenticated
    return user


def user_of_verification(token: str) -> User:
    """Whose address a mail's token verifies; raises InvalidToken, also for a past address."""
    user_id, email = tokens.read_verification(token)
    user = User.objects.filter(pk=user_id, email=email, is_active=True).first()
    if user is None:
        raise InvalidToken
    return user


def user_of_reset(token: str) -> User:
    """Whose password a mail's token resets; raises InvalidToken."""
    user = User.objects.filter(pk=tokens.reset_user_id(token), is_active=True).first()
    if user is None or not tokens.is_reset_of(user, token):
        raise InvalidToken
    return user


def user_of_sign_in(token: str, at: datetime.datetime) -> User:
    """Whom a mailed link's token signs in; raises InvalidToken, also for one that is used up."""
    claims = tokens.read_sign_in(token, at=at)
    user = User.objects.filter(pk=claims.user_id, is_active=True).first()
    if user is None or not tokens.is_sign_in_of(user, claims):
        raise InvalidToken
    if user.links_used_at is not None and user.links_used_at >= claims.issued_at:
        raise InvalidToken
    return user


def is_first_of_mailbox(*, email: str, user_id: UUID) -> bool:
    """Whether a user's address is how its mailbox is spelled, or no other came before: 1 query.

    Others are accounts for spellings of the same mailbox that nobody has proved to be theirs.
    """
    mailbox = rules.mailbox_of(email)
    if email == mailbox:
        return True
    unproven = User.objects.filter(
        is_active=True, is_staff=False, is_superuser=False, email_verified_at=None
    )
    elders = unproven.alias(mailbox=Mailbox("email")).filter(mailbox=mailbox, pk__lt=user_id)
    return not elders.exists()


def customers(*, query: str = "") -> QuerySet[User]:
    """Everybody with an account, closed or not, for staff; `query` as in `user_ids_matching`."""
    people = User.objects.all().fetch_mode(FETCH_RAISE)
    return people.filter(pk__in=user_ids_matching(query)) if query.strip() else people


def user_ids_matching(query: str) -> QuerySet[Any, Any]:
    """The ids of users whose e-mail address has the text in it, or whose name has all its words."""
    text = query.strip()
    named = User.objects.all()
    for word in text.split()[:MOST_WORDS]:
        named = named.filter(name__folded__contains=word)
    # Each has an index of its own, which OR would not let PostgreSQL use.
    addressed = User.objects.filter(email__icontains=text)
    return named.values("pk").union(addressed.values("pk"))


def email_change_to_confirm(token: str) -> EmailChange:
    """What a mail to the new address confirms; raises InvalidToken, also for one that is void."""
    change = pending_email_change(tokens.read_email_change(token))
    if change is None:
        raise InvalidToken
    return change


def pending_email_change(change_id: UUID) -> EmailChange | None:
    """With its user; None for one that was confirmed, replaced or undone, or that is void."""
    pending = EmailChange.objects.filter(pk=change_id, confirmed_at=None, user__is_active=True)
    change = pending.select_related("user").first()
    if change is None or not tokens.is_email_binding_of(change.user, change):
        return None
    return change


def email_change_to_undo(token: str) -> EmailChange:
    """What a mail to the old address undoes, pending or not, with its user; raises InvalidToken.

    Also for one after which the user got an address in another way, as from the staff.
    """
    changes = EmailChange.objects.select_related("user")
    change = changes.filter(pk=tokens.read_email_undo(token), user__is_active=True).first()
    if change is None or not _leads_to_present(change):
        raise InvalidToken
    return change


def _leads_to_present(change: EmailChange) -> bool:
    if change.confirmed_at is None:
        return tokens.is_email_binding_of(change.user, change)
    followed = email_changes_since(change).exclude(confirmed_at=None)
    return followed.filter(new_email=change.user.email).exists()


def email_changes_since(change: EmailChange) -> QuerySet[EmailChange]:
    """The change and those of its user that came later."""
    return EmailChange.objects.filter(user=change.user_id, pk__gte=change.pk)


def users_in_reach(actor: User) -> QuerySet[User]:
    """Whose accounts somebody who may change users may change: a superuser everybody's.

    Others those of people who have no rights of any kind, so that nobody takes over an account
    that may more than their own.
    """
    if actor.is_superuser:
        return User.objects.all()
    return User.objects.filter(
        is_staff=False, is_superuser=False, groups=None, user_permissions=None
    )


@dataclass(frozen=True, slots=True)
class Profile:
    """A user, as they see themselves."""

    id: UUID
    email: str
    name: str
    language: str
    is_email_verified: bool
    is_staff: bool
    joined_at: datetime.datetime


_PROFILE = """
SELECT id, email, name, language, email_verified_at IS NOT NULL, is_staff, joined_at
FROM accounts_user WHERE id = %s AND is_active
"""


async def profile_of(user_id: UUID) -> Profile:
    """`active_user` without a thread: 1 query."""
    row = await database.fetch_one(_PROFILE, [user_id], is_short=True)
    if row is None:
        raise Unauthenticated
    return Profile(*row)


def addresses_of(user_id: UUID) -> QuerySet[Address]:
    """A customer's address book."""
    return Address.objects.filter(user_id=user_id).fetch_mode(FETCH_RAISE)


def sessions_of(user_id: UUID, at: datetime.datetime) -> QuerySet[Session]:
    """Where a user is signed in at `at`."""
    return Session.objects.open(at).filter(user_id=user_id).fetch_mode(FETCH_RAISE)

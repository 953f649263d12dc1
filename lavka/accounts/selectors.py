"""How accounts are read."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, QuerySet

from lavka.accounts.models import Address, Session, User
from lavka.kernel.errors import Unauthenticated


def active_user(user_id: UUID) -> User:
    """The user of an access token; raises Unauthenticated once the account is closed."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise Unauthenticated
    return user


def addresses_of(user_id: UUID) -> QuerySet[Address]:
    """A customer's address book."""
    return Address.objects.filter(user_id=user_id).fetch_mode(FETCH_RAISE)


def sessions_of(user_id: UUID, at: datetime.datetime) -> QuerySet[Session]:
    """Where a user is signed in at `at`."""
    return Session.objects.open(at).filter(user_id=user_id).fetch_mode(FETCH_RAISE)

"""API keys: made once, shown once, revoked at once."""

import datetime
import hashlib
import secrets
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from lavka.accounts import scopes as known
from lavka.accounts import selectors
from lavka.accounts.errors import ScopeNotHeld
from lavka.accounts.models import ApiKey, User
from lavka.kernel import security_log
from lavka.kernel.errors import Denied
from lavka.kernel.security_log import Object, SecurityEvent
from lavka.web.api_keys import PREFIX

SHOWN_CHARACTERS = 12
# How exactly `used_at` is known: a busy program does not write at each request.
USE_IS_NOTED_EVERY = datetime.timedelta(minutes=1)


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Sequence[str],
    created_by: UUID,
    expires_at: datetime.datetime | None,
    at: datetime.datetime,
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which nobody can be told again.

    The key borrows its maker's rights: each use asks whether the maker still holds the right.
    Raises: ScopeNotHeld, for a scope of which the maker could use nothing; Unauthenticated, when
    the maker is not active. Locks: the maker's row, whose change would revoke the key.
    """
    list(User.objects.select_for_update(no_key=True).filter(pk=created_by))
    maker = selectors.active_user(created_by)
    allowed = known.scopes_for(maker.get_all_permissions()) if maker.is_staff else []
    if missing := sorted(set(scopes) - {*allowed}):
        raise ScopeNotHeld(scopes=missing)
    key = PREFIX + secrets.token_urlsafe(32)
    made = ApiKey.objects.create(
        name=name,
        prefix=key[:SHOWN_CHARACTERS],
        digest=digest_of(key),
        scopes=sorted(set(scopes)),
        created_by=maker,
        created_at=at,
        expires_at=expires_at,
    )
    on = Object("api_key", made.pk, made.name)
    security_log.record(
        SecurityEvent.API_KEY_CREATED, on, scopes=made.scopes, expires_at=expires_at
    )
    return made, key


@transaction.atomic
def revoke_key(*, key_id: UUID, by: UUID, at: datetime.datetime) -> None:
    """Close a key for good; one that is closed stays as it is.

    Staff close their own keys and those whose maker is gone, superusers everybody's.
    Raises: ApiKey.DoesNotExist; Denied; Unauthenticated, when `by` is not active.
    """
    actor = selectors.active_user(by)
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if not (actor.is_superuser or key.created_by_id in {None, by}):
        raise Denied
    if ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at):
        _log_revoked(key)


def open_keys_of(user_id: UUID) -> list[ApiKey]:
    """Those that a user made and that are not revoked: 1 query."""
    return list(ApiKey.objects.filter(created_by=user_id, revoked_at=None).order_by("pk"))


@transaction.atomic
def log_revoked(*, keys: Sequence[ApiKey]) -> None:
    """Log those of the keys that were revoked with the rights of whoever made them."""
    for key in ApiKey.objects.filter(pk__in=[each.pk for each in keys]).exclude(revoked_at=None):
        _log_revoked(key)


def _log_revoked(key: ApiKey) -> None:
    on = Object("api_key", key.pk, key.name)
    security_log.record(SecurityEvent.API_KEY_REVOKED, on, created_by=key.created_by_id)


def note_use(*, key_id: UUID, at: datetime.datetime) -> None:
    """Record that a key was used, about once a minute."""
    stale = Q(used_at=None) | Q(used_at__lt=at - USE_IS_NOTED_EVERY)
    ApiKey.objects.filter(stale, pk=key_id).update(used_at=at)


def digest_of(key: str) -> str:
    """What is stored of a key."""
    # 256 random bits need neither salt nor a slow hash.
    return hashlib.sha256(key.encode()).hexdigest()

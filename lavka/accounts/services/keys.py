"""Keys of machines: made once, shown once, taken back at once."""

import datetime
import hashlib
import secrets
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from lavka.accounts.models import ApiKey
from lavka.kernel.errors import Denied, Unauthenticated

MARK = "lavka_"
SHOWN_CHARACTERS = 12
# How exactly `used_at` is known: a busy machine does not write at each request.
USE_IS_NOTED_EVERY = datetime.timedelta(minutes=1)


def create_key(
    *,
    name: str,
    scopes: Sequence[str],
    created_by: UUID,
    expires_at: datetime.datetime | None,
    at: datetime.datetime,
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which nobody can be told again."""
    key = MARK + secrets.token_urlsafe(32)
    made = ApiKey.objects.create(
        name=name,
        prefix=key[:SHOWN_CHARACTERS],
        digest=_digest(key),
        scopes=sorted(set(scopes)),
        created_by_id=created_by,
        created_at=at,
        expires_at=expires_at,
    )
    return made, key


def revoke_key(*, key_id: UUID, at: datetime.datetime) -> None:
    """Close a key for good; one that is closed stays as it is.

    Raises: ApiKey.DoesNotExist.
    """
    if not ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at):
        ApiKey.objects.get(pk=key_id)


def admit(*, key: str, scope: str, at: datetime.datetime) -> ApiKey:
    """The key that a machine presents, with its use noted.

    Raises: Unauthenticated, for a key that is not good; Denied, when it lacks the scope.
    """
    found = ApiKey.objects.open(at).filter(digest=_digest(key)).first()
    if found is None:
        raise Unauthenticated
    if scope not in found.scopes:
        raise Denied
    stale = Q(used_at=None) | Q(used_at__lt=at - USE_IS_NOTED_EVERY)
    ApiKey.objects.filter(stale, pk=found.pk).update(used_at=at)
    return found


def _digest(key: str) -> str:
    # 256 random bits need neither salt nor a slow hash.
    return hashlib.sha256(key.encode()).hexdigest()

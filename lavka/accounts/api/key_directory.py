"""Looks up API keys for `lavka.web`, on the event loop."""

from datetime import datetime
from functools import cache

from django.utils import timezone

from lavka.accounts import scopes
from lavka.accounts.services import keys
from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.database import fetch_one
from lavka.kernel.errors import Denied, Unauthenticated
from lavka.kernel.security_log import Outcome, SecurityEvent
from lavka.kernel.threads import in_thread
from lavka.web.api_keys import KeyCaller
from lavka.web.rights import held_right


class Keys:
    """The keys of the shop, read from the database at each use."""

    async def authorize(self, *, secret: str, right: str) -> KeyCaller:
        """The caller with this key, whose use is noted.

        Raises: Unauthenticated, for a key that is unknown, revoked or expired, or whose maker is
        not active staff any more; Denied, without a scope for `right`, or when the maker does not
        hold it; Unavailable.
        """
        at = timezone.now()
        found = await fetch_one(_statement(), _parameters(secret, right, at), is_short=True)
        if found is None:
            raise Unauthenticated
        key_id, created_by_id, granted, has_scope, is_held, is_noted = found
        if not (has_scope and is_held):
            security_log.record(
                SecurityEvent.ACCESS_DENIED,
                outcome=Outcome.DENIED,
                actor=Actor.api_key(key_id),
                right=right,
            )
            raise Denied
        if not is_noted:
            await in_thread(keys.note_use, key_id=key_id, at=at)
        return KeyCaller(
            id=key_id,
            created_by_id=created_by_id,
            secret=secret,
            rights=scopes.rights_of(granted),
        )

    def scope_for(self, right: str) -> str | None:
        """The scope that a key needs to use `right`; None when no key may use it."""
        return scopes.scope_for(right)


def _parameters(secret: str, right: str, at: datetime) -> dict[str, object]:
    app, _, codename = right.partition(".")
    return {
        "digest": keys.digest_of(secret),
        "scope": scopes.scope_for(right) or "",
        "app": app,
        "codename": codename,
        "at": at,
        "stale_before": at - keys.USE_IS_NOTED_EVERY,
    }


@cache
def _statement() -> str:
    return f"""
        SELECT key.id, key.created_by_id, key.scopes, %(scope)s::text = ANY (key.scopes),
               {held_right()}, coalesce(key.used_at >= %(stale_before)s, false)
        FROM accounts_apikey key JOIN accounts_user person ON person.id = key.created_by_id
        WHERE key.digest = %(digest)s AND key.revoked_at IS NULL
          AND (key.expires_at IS NULL OR key.expires_at > %(at)s)
          AND person.is_active AND person.is_staff
    """  # noqa: S608 - the tables' names are the models'

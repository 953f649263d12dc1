"""The access token: checked by its signature, so a request is known without a query.

Whether its session has ended since is asked of memory (`lavka.web.revocation`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)

from lavka.kernel.errors import Unauthenticated
from lavka.kernel.keys import TOKENS, keys_for

CHALLENGE = 'Bearer realm="api"'


ISSUER, AUDIENCE, ALGORITHM = "lavka", "lavka.api", "HS256"


@lru_cache(maxsize=8)
def _backend(key: bytes) -> Any:
    return TokenBackend(ALGORITHM, key.hex(), audience=AUDIENCE, issuer=ISSUER)


class RotatingBackend(TokenBackend):
    """Signs with the shop's key for tokens, and reads what the keys before it have signed."""

    def __init__(self) -> None:
        """Hold no key: which one signs is asked each time."""
        super().__init__(ALGORITHM, audience=AUDIENCE, issuer=ISSUER)

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign."""
        return str(_backend(keys_for(TOKENS)[0]).encode(payload))

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The claims; raises TokenBackendError for what no key has signed, or is over."""
        refusal = TokenBackendError()
        for key in keys_for(TOKENS):
            try:
                claims: dict[str, Any] = _backend(key).decode(token, verify=verify)
            except TokenBackendExpiredToken:
                raise
            except TokenBackendError as wrong_key:
                refusal = wrong_key
            else:
                return claims
        raise refusal


class AccessToken(tokens.AccessToken):
    """What a request carries."""

    _token_backend: Any = RotatingBackend()


class RefreshToken(tokens.RefreshToken):
    """What a session is continued with."""

    _token_backend: Any = RotatingBackend()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the token, as it was when the token was issued, at most five minutes ago."""

    id: UUID
    is_staff: bool
    session_id: UUID
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> UUID:
        """DRF's name for `id`."""
        return self.id


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`; a wrong token is 401, none at all is anonymous."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        """Verify signature, expiry and kind of the token; no query, no network."""
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise Unauthenticated
        token = raw.strip()
        if len(token) > MAX_TOKEN:
            raise Unauthenticated
        return _verified(token), token

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return CHALLENGE


# What reading a token raises whose signature is right and whose claims are not the shop's: also of
# an instant that no clock shows.
MALFORMED = (TokenError, KeyError, ValueError, TypeError, AttributeError, OverflowError, OSError)

# Whose token it is and when it expires, by its digest: a client sends the same one for minutes.
_known: dict[bytes, tuple[Caller, float]] = {}
MAX_KNOWN = 10_000
# A token of the shop is a few hundred characters.
MAX_TOKEN = 4096


def _verified(raw: str) -> Caller:
    """Verify a token, or recognise one that was; its expiry is looked at every time.

    Raises: Unauthenticated.
    """
    digest = blake2b(raw.encode(), digest_size=32).digest()
    known = _known.get(digest)
    if known is None:
        known = _verify(raw)
        if len(_known) >= MAX_KNOWN:
            # The oldest one, which is the next to expire.
            del _known[next(iter(_known))]
        _known[digest] = known
    elif known[1] <= time.time():
        del _known[digest]
        raise Unauthenticated
    return known[0]


def _verify(raw: str) -> tuple[Caller, float]:
    try:
        token: Any = AccessToken(raw)  # type: ignore[arg-type]  # the stubs want a Token
        caller = Caller(UUID(token["sub"]), bool(token["staff"]), UUID(token["sid"]))
        return caller, float(token["exp"])
    except MALFORMED:
        raise Unauthenticated from None

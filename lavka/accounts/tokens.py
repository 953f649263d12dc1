"""What the shop signs: the pair of a session, and the tokens that its mails carry."""

import base64
import binascii
import datetime
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from lavka.accounts.errors import InvalidRefreshToken, InvalidToken
from lavka.accounts.models import Session, User
from lavka.web.tokens import MALFORMED

VERIFICATION_LIFETIME = datetime.timedelta(days=3)
_VERIFICATION_SALT = "lavka.accounts.verify-email"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in or a refresh answers."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """Which session a refresh token belongs to, and which token of it this is."""

    session_id: UUID
    token_id: UUID


def refresh_lifetime() -> datetime.timedelta:
    """How long a refresh token is good for."""
    lifetime: datetime.timedelta = RefreshToken.lifetime
    return lifetime


def pair_of(*, user: User, session: Session) -> TokenPair:
    """Sign an access token and the session's current refresh token."""
    access: Any = AccessToken()
    access["sub"], access["staff"], access["sid"] = str(user.pk), user.is_staff, str(session.pk)
    refresh: Any = RefreshToken()
    refresh["sub"], refresh["sid"] = str(user.pk), str(session.pk)
    refresh["jti"] = session.current_token.hex
    return TokenPair(str(access), str(refresh))


def read_refresh(raw: str) -> RefreshClaims:
    """Verify a refresh token's signature, kind and age; raises InvalidRefreshToken."""
    try:
        token: Any = RefreshToken(raw)  # type: ignore[arg-type]
        return RefreshClaims(UUID(token["sid"]), UUID(token["jti"]))
    except MALFORMED:
        raise InvalidRefreshToken from None


def verification_of(user: User) -> str:
    """A token that proves that its bearer reads the mail of the user's present address."""
    return signing.dumps([str(user.pk), user.email], salt=_VERIFICATION_SALT)


def read_verification(token: str) -> tuple[UUID, str]:
    """The user's id and the address that `verification_of` named; raises InvalidToken."""
    try:
        user_id, email = signing.loads(
            token, salt=_VERIFICATION_SALT, max_age=VERIFICATION_LIFETIME
        )
        return UUID(user_id), email
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidToken from None


class _ResetTokens(PasswordResetTokenGenerator):
    """Bound to the password's hash, so a token is worth nothing once the password changed."""

    key_salt = "lavka.accounts.reset-password"


_reset_tokens = _ResetTokens()


def reset_of(user: User) -> str:
    """A token for one new password, good for `PASSWORD_RESET_TIMEOUT` seconds."""
    user_id = base64.urlsafe_b64encode(user.pk.bytes).decode().rstrip("=")
    return f"{user_id}.{_reset_tokens.make_token(user)}"


def reset_user_id(token: str) -> UUID:
    """Whose password the token claims to reset, still to be proven; raises InvalidToken."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (ValueError, binascii.Error):
        raise InvalidToken from None


def is_reset_of(user: User, token: str) -> bool:
    """Whether `token` resets this user's present password."""
    return _reset_tokens.check_token(user, token.partition(".")[2])

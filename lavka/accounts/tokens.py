"""What the shop signs: the pair of a session, and the tokens that its mails carry."""

import base64
import binascii
import datetime
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing

from lavka.accounts.errors import InvalidRefreshToken, InvalidToken
from lavka.accounts.models import EmailChange, Session, User
from lavka.kernel import keys
from lavka.kernel.keys import MAILS, keys_for
from lavka.web.tokens import MALFORMED, AccessToken, RefreshToken

VERIFICATION_LIFETIME = datetime.timedelta(days=3)
SIGN_IN_LIFETIME = datetime.timedelta(minutes=10)
EMAIL_CHANGE_LIFETIME = datetime.timedelta(hours=1)
# Long enough for somebody who looks into the old mailbox once a week.
EMAIL_UNDO_LIFETIME = datetime.timedelta(days=8)
_VERIFICATION_SALT = "lavka.accounts.verify-email"
_SIGN_IN_SALT = "lavka.accounts.sign-in"
_EMAIL_CHANGE_SALT = "lavka.accounts.change-email"
_EMAIL_UNDO_SALT = "lavka.accounts.undo-email-change"


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


def pair_of(*, user: User, session: Session) -> TokenPair:
    """Sign an access token and the session's current refresh token."""
    access: Any = AccessToken()
    access["sub"], access["staff"], access["sid"] = str(user.pk), user.is_staff, str(session.pk)
    refresh: Any = RefreshToken()
    refresh["sub"], refresh["sid"] = str(user.pk), str(session.pk)
    refresh["jti"] = session.current_token.hex
    refresh["exp"] = int(session.expires_at.timestamp())
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
    return _signed([str(user.pk), user.email], _VERIFICATION_SALT)


def read_verification(token: str) -> tuple[UUID, str]:
    """The user's id and the address that `verification_of` named; raises InvalidToken."""
    try:
        user_id, email = _read(token, _VERIFICATION_SALT, max_age=VERIFICATION_LIFETIME)
        return UUID(user_id), email
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidToken from None


class _ResetTokens(PasswordResetTokenGenerator):
    """Bound to the password's hash, so a token is worth nothing once the password changed."""

    key_salt = "lavka.accounts.reset-password"

    def _get_secret(self) -> str:
        return keys_for(MAILS)[0].hex()

    def _get_fallbacks(self) -> list[str]:
        return [key.hex() for key in keys_for(MAILS)[1:]]

    secret = property(_get_secret)
    secret_fallbacks = property(_get_fallbacks)


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


@dataclass(frozen=True, slots=True)
class SignInClaims:
    """Whom the token of a mailed link signs in, and since when; `binding` is still to be proven."""

    user_id: UUID
    issued_at: datetime.datetime
    binding: str


def sign_in_of(user: User, *, at: datetime.datetime) -> str:
    """A token that signs its bearer in once, within `SIGN_IN_LIFETIME`."""
    claims = [str(user.pk), at.isoformat(), keys.sign(MAILS, _bound_to(user, _SIGN_IN_SALT))]
    return _signed(claims, _SIGN_IN_SALT)


def read_sign_in(token: str, *, at: datetime.datetime) -> SignInClaims:
    """What `sign_in_of` signed; raises InvalidToken, also for one that is too old."""
    try:
        user_id, issued, binding = _read(token, _SIGN_IN_SALT)
        issued_at = datetime.datetime.fromisoformat(issued)
        claims = SignInClaims(UUID(user_id), issued_at, binding)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidToken from None
    if at - claims.issued_at > SIGN_IN_LIFETIME:
        raise InvalidToken
    return claims


def is_sign_in_of(user: User, claims: SignInClaims) -> bool:
    """Whether password, address and session version are those for which the token was made."""
    return keys.is_signature(MAILS, _bound_to(user, _SIGN_IN_SALT), claims.binding)


def email_change_of(change: EmailChange) -> str:
    """A token that proves that its bearer reads the mail of the new address."""
    return _signed([str(change.pk)], _EMAIL_CHANGE_SALT)


def read_email_change(token: str) -> UUID:
    """The id of the change to be confirmed; raises InvalidToken."""
    return _change_id(token, _EMAIL_CHANGE_SALT, EMAIL_CHANGE_LIFETIME)


def email_undo_of(change: EmailChange) -> str:
    """A token that proves that its bearer reads the mail of the old address."""
    return _signed([str(change.pk)], _EMAIL_UNDO_SALT)


def read_email_undo(token: str) -> UUID:
    """The id of the change to be undone; raises InvalidToken."""
    return _change_id(token, _EMAIL_UNDO_SALT, EMAIL_UNDO_LIFETIME)


def _change_id(token: str, salt: str, lifetime: datetime.timedelta) -> UUID:
    try:
        (change_id,) = _read(token, salt, max_age=lifetime)
        return UUID(change_id)
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        raise InvalidToken from None


def email_binding_of(user: User) -> str:
    """What a change of this user's address is bound to."""
    return keys.sign(MAILS, _bound_to(user, _EMAIL_CHANGE_SALT))


def is_email_binding_of(user: User, change: EmailChange) -> bool:
    """Whether password, address and session version are those for which it was asked for."""
    return keys.is_signature(MAILS, _bound_to(user, _EMAIL_CHANGE_SALT), change.binding)


def _bound_to(user: User, salt: str) -> bytes:
    return f"{salt} {user.session_version}:{user.email}:{user.password}".encode()


def _signed(claims: list[str], salt: str) -> str:
    return signing.dumps(claims, key=keys_for(MAILS)[0].hex(), salt=salt)


def _read(token: str, salt: str, max_age: datetime.timedelta | None = None) -> Any:
    """What was signed, with the key of today or one before it; raises BadSignature."""
    key, *fallbacks = (key.hex() for key in keys_for(MAILS))
    accepted: list[str | bytes] = [*fallbacks]
    return signing.loads(token, key=key, salt=salt, max_age=max_age, fallback_keys=accepted)

"""What can go wrong with accounts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, Denied, FieldError, Invalid, ShopError, Unauthenticated


class WrongCredentials(Unauthenticated):
    """E-mail and password do not belong together, or the account is not active."""

    code = "invalid_credentials"
    message = _("The e-mail or the password is wrong.")


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is no token of an open session."""

    code = "invalid_refresh_token"
    message = _("This refresh token is not valid. Please sign in again.")


class RefreshTokenReused(Unauthenticated):
    """The refresh token was used before, so its session ended."""

    code = "refresh_token_reused"
    message = _("This refresh token was used before. The session has ended; please sign in again.")


class TooManyAttempts(ShopError):
    """The address is locked after repeated failures, whether or not anybody has it."""

    status = 429
    code = "too_many_attempts"
    title = _("Too many attempts")
    message = _("There were too many failed attempts. Please try again later.")

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Say in how many seconds the next attempt is allowed."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class WrongPassword(Invalid):
    """The current password that was given is not the current password."""

    code = "wrong_password"
    message = _("The current password is wrong.")

    def __init__(self) -> None:
        """Point at the one field."""
        super().__init__(
            errors=[FieldError("#/current_password", self.code, str(self.message))],
        )


class InvalidToken(Invalid):
    """The token of a mail is forged, too old or used up."""

    code = "invalid_token"
    message = _("This link is not valid any more. Please ask for a new one.")

    def __init__(self) -> None:
        """Point at the one field."""
        super().__init__(errors=[FieldError("#/token", self.code, str(self.message))])


class StaffAccount(Conflict):
    """Staff do not close their own accounts."""

    code = "staff_account"
    message = _("A staff account is closed by an administrator.")


class ScopeNotHeld(Denied):
    """A key was asked for that would do more than its maker may."""

    code = "scope_not_held"
    message = _("A key does no more than its maker may. You lack the rights of: %(scopes)s.")

    def __init__(self, *, scopes: Sequence[str]) -> None:
        """Name the scopes."""
        super().__init__(scopes=", ".join(scopes))

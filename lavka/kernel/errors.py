"""What can go wrong, by kind; every room's errors subclass one of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# How many refused parts of one input are told; what checks it may stop at the next.
MAX_ERRORS = 20
# How many allowed values are told beside a refused one; who looks for more may stop at the next.
MAX_CHOICES = 50


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused part of the input.

    `pointer` is a JSON pointer into the body (RFC 6901, `#/rating`) or a parameter (`?limit`).
    `choices` are the values that are allowed instead, told when they are few; `choices_url` is the
    path of the API that lists them.
    """

    pointer: str
    code: str
    detail: str
    choices: Sequence[str] = ()
    choices_url: str = ""


class ShopError(Exception):
    """An anticipated refusal: `code` is the promise to clients, `message` is for people.

    Keyword details are ids and numbers; they fill `message` and are part of the answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    title: ClassVar[Promise | str] = _("Error")
    message: ClassVar[Promise | str] = ""

    def __init__(self, *, errors: Sequence[FieldError] = (), **details: object) -> None:
        """Keep the details; `errors` names the refused parts of the input."""
        super().__init__(self.code, details)
        self.details = details
        self.errors = errors

    @property
    def detail(self) -> str:
        """The message in the active language, with the details filled in."""
        return str(self.message) % self.details if self.details else str(self.message)


class Malformed(ShopError):
    """The request cannot be read at all."""

    status = 400
    code = "malformed"
    title = _("Malformed request")
    message = _("The request body is not valid JSON.")


class Unauthenticated(ShopError):
    """The caller did not prove who they are."""

    status = 401
    code = "unauthenticated"
    title = _("Not authenticated")
    message = _("A valid access token is needed.")


class Denied(ShopError):
    """The caller is known and may not."""

    status = 403
    code = "denied"
    title = _("Not allowed")
    message = _("You are not allowed to do this.")


class NotFound(ShopError):
    """There is no such thing, or not for this caller."""

    status = 404
    code = "not_found"
    title = _("Not found")
    message = _("There is nothing here.")


class Conflict(ShopError):
    """The state of things forbids it."""

    status = 409
    code = "conflict"
    title = _("Conflict")
    message = _("This contradicts the present state.")


class Invalid(ShopError):
    """The input was read, and its values are refused."""

    status = 422
    code = "invalid"
    title = _("Invalid input")
    message = _("Some of the input is not acceptable.")


class Unavailable(ShopError):
    """Something the shop depends on is away; the same request may work later."""

    status = 503
    code = "unavailable"
    title = _("Temporarily unavailable")
    message = _("The shop cannot answer right now. Please try again shortly.")
    retry_after_seconds: ClassVar[int] = 2

"""Where a request comes from, and the cookie by which the shop knows a browser again."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from lavka.accounts import rules
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.rules import Source
from lavka.web import limits

MAX_TOKEN = 64


class SignInAttempt:
    """What `LockingBackend` leaves on a request: who refused it, or which device it is."""

    refused: TooManyAttempts | None = None
    device: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "SignInAttempt":
        """The request's, made at first use."""
        attempt: SignInAttempt = request.__dict__.setdefault("sign_in_attempt", cls())
        return attempt


def source_of(request: HttpRequest | None, device: str = "") -> Source:
    """The request's network, and its device: `device`, or else the cookie's."""
    if request is None:
        return Source("")
    shown = device or request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    # What the shop makes is shorter, and plain.
    is_sane = len(shown) <= MAX_TOKEN and shown.isascii() and shown.isprintable()
    return Source(limits.network_of(request), shown if is_sane else "")


def set_cookie(response: HttpResponseBase, device: str) -> None:
    """Have the browser keep the device's token."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        device,
        max_age=rules.PLACES_KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )

"""Registering, signing in and out, passwords."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone, translation
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.accounts import devices
from lavka.accounts.api import serializers
from lavka.accounts.devices import source_of
from lavka.accounts.errors import (
    InvalidRefreshToken,
    InvalidToken,
    RefreshTokenReused,
    TooManyAttempts,
    WrongCredentials,
    WrongPassword,
)
from lavka.accounts.services import passwords, registration, sessions
from lavka.accounts.services.sessions import SignedIn
from lavka.kernel.plain_text import storable
from lavka.web import limits
from lavka.web.schema import operation
from lavka.web.views import CustomerView, View, in_thread

AUTH = limits.Limit("auth", burst=30, per_seconds=60, fails_open=False)
# Per address from which they are asked for; how often one mailbox gets them says
# `lavka.accounts.rules.PAUSES`, so that nobody uses up another's.
MAIL = limits.Limit("auth-mail", burst=30, per_seconds=3600, fails_open=False)

CREDENTIALS = OpenApiExample(
    "credentials",
    {"email": "ada@example.com", "password": "correct horse battery"},
    request_only=True,
)
PAIR = OpenApiExample(
    "pair", {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"}, response_only=True
)
SIGNED_IN = OpenApiExample(
    "signed in",
    {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…", "device": "q0J3…"},
    response_only=True,
)


class AuthView(View):
    """A view for whoever has no valid access token: one in the request is not even looked at."""

    authentication_classes = ()
    write_limit = AUTH
    keeps_answers = False


class RegisterView(AuthView):
    """POST /auth/register/"""

    @operation(
        "register",
        "Create an account",
        description="A taken address gets the same answer, with an id that is nobody's, and its "
        "owner gets a mail. The new customer may sign in and buy before the address is verified.",
        request=serializers.RegisterInput,
        responses={201: serializers.RegisteredOutput},
        examples=[CREDENTIALS],
    )
    async def post(self, request: Request) -> Response:
        """Create an account."""
        body = serializers.RegisterInput.read(request.data)
        await limits.take(MAIL, limits.caller_of(request._request, None))
        user_id = await in_thread(
            registration.register,
            email=body["email"],
            password=body["password"],
            name=body.get("name", ""),
            language=translation.get_language() or "en",
            at=timezone.now(),
        )
        return Response({"id": user_id, "email": body["email"]}, status=201)


class VerifyEmailView(AuthView):
    """POST /auth/verify-email/"""

    @operation(
        "verify_email",
        "Verify an e-mail address",
        description="With the token of the mail, good for three days. Again is no error.",
        request=serializers.MailTokenInput,
        responses={204: None},
        errors=[InvalidToken],
    )
    async def post(self, request: Request) -> Response:
        """Verify the address that the token names."""
        body = serializers.MailTokenInput.read(request.data)
        await in_thread(registration.verify_email, token=body["token"], at=timezone.now())
        return Response(status=204)


class ResendVerificationView(CustomerView):
    """POST /auth/verify-email/resend/"""

    write_limit = MAIL

    @operation(
        "resend_verification",
        "Send the verification mail again",
        description="Unless the latest was sent a moment ago; the pauses grow with each.",
        request=None,
        responses={202: None},
    )
    async def post(self, request: Request) -> Response:
        """Ask for the mail; a verified address gets none."""
        await in_thread(
            registration.request_verification, user_id=self.caller.id, at=timezone.now()
        )
        return Response(status=202)


class TokenView(AuthView):
    """POST /auth/token/"""

    @operation(
        "sign_in",
        "Sign in",
        description="Ten failures on an account from one place put it off for 15 minutes, each "
        "further one for twice as long, up to an hour; the right password is refused too then. A "
        "place is a device that shows what an earlier sign-in answered, as `device` or by its "
        "cookie, or else a network; a device that locks itself counts as its network. Failures "
        "elsewhere delay a sign-in from a place that the account does not know by at most five "
        "minutes, and from one that it knows not at all. "
        "A mailed link always signs in.",
        request=serializers.CredentialsInput,
        responses={200: serializers.SignedInOutput},
        errors=[WrongCredentials, TooManyAttempts],
        examples=[CREDENTIALS, SIGNED_IN],
    )
    async def post(self, request: Request) -> Response:
        """Open a session."""
        body = serializers.CredentialsInput.read(request.data)
        signed_in = await in_thread(
            sessions.sign_in,
            email=body["email"],
            password=body["password"],
            source=source_of(request._request, body.get("device", "")),
            user_agent=_user_agent(request),
            at=timezone.now(),
        )
        return _answer(signed_in)


class SignInLinkView(AuthView):
    """POST /auth/sign-in-link/"""

    @operation(
        "request_sign_in_link",
        "Ask for a mail that signs in",
        description="The answer is the same whether or not anybody has the address. While the "
        "latest such mail is young no further one is sent, whoever asked for it.",
        request=serializers.EmailInput,
        responses={202: None},
    )
    async def post(self, request: Request) -> Response:
        """Ask for the mail."""
        await request_link(request._request, request.data)
        return Response(status=202)


class SignInLinkTokenView(AuthView):
    """POST /auth/sign-in-link/token/"""

    @operation(
        "sign_in_by_link",
        "Sign in with the token of a mail",
        description="The token is good for 10 minutes and one use, which ends older ones too. It "
        "verifies the address, and works however often others failed to guess the password.",
        request=serializers.LinkTokenInput,
        responses={200: serializers.SignedInOutput},
        errors=[InvalidToken],
        examples=[SIGNED_IN],
    )
    async def post(self, request: Request) -> Response:
        """Open a session."""
        body = serializers.LinkTokenInput.read(request.data)
        signed_in = await in_thread(
            sessions.sign_in_by_link,
            token=body["token"],
            source=source_of(request._request, body.get("device", "")),
            user_agent=_user_agent(request),
            at=timezone.now(),
        )
        return _answer(signed_in)


class RefreshView(AuthView):
    """POST /auth/token/refresh/"""

    @operation(
        "refresh_tokens",
        "Exchange a refresh token for a new pair",
        description="Each refresh token is good for one exchange. One that comes a second time "
        "was copied: its session ends, and everybody signs in again.",
        request=serializers.RefreshInput,
        responses={200: serializers.TokenPairOutput},
        errors=[InvalidRefreshToken, RefreshTokenReused],
        examples=[PAIR],
    )
    async def post(self, request: Request) -> Response:
        """Rotate the session's token."""
        body = serializers.RefreshInput.read(request.data)
        pair = await in_thread(sessions.refresh, raw=body["refresh"], at=timezone.now())
        return Response(asdict(pair))


class LogoutView(AuthView):
    """POST /auth/logout/"""

    @operation(
        "sign_out",
        "Sign out",
        description="Ends the session of the refresh token. An invalid token is no error.",
        request=serializers.RefreshInput,
        responses={204: None},
    )
    async def post(self, request: Request) -> Response:
        """End one session."""
        body = serializers.RefreshInput.read(request.data)
        await in_thread(sessions.sign_out, raw=body["refresh"], at=timezone.now())
        return Response(status=204)


class LogoutAllView(CustomerView):
    """POST /auth/logout-all/"""

    @operation("sign_out_everywhere", "Sign out everywhere", request=None, responses={204: None})
    async def post(self, request: Request) -> Response:
        """End all sessions of the caller."""
        await in_thread(sessions.sign_out_everywhere, user_ids=[self.caller.id], at=timezone.now())
        return Response(status=204)


class ForgotPasswordView(AuthView):
    """POST /auth/password/forgot/"""

    @operation(
        "forgot_password",
        "Ask for a mail that resets the password",
        description="The answer is the same whether or not anybody has the address. While the "
        "latest such mail is young no further one is sent, whoever asked for it.",
        request=serializers.EmailInput,
        responses={202: None},
    )
    async def post(self, request: Request) -> Response:
        """Ask for the mail."""
        await request_password_reset(request._request, request.data)
        return Response(status=202)


class ResetPasswordView(AuthView):
    """POST /auth/password/reset/"""

    @operation(
        "reset_password",
        "Set a new password with the token of a mail",
        description="The token is good for one hour and one use. All sessions end.",
        request=serializers.ResetPasswordInput,
        responses={204: None},
        errors=[InvalidToken],
    )
    async def post(self, request: Request) -> Response:
        """Set the password."""
        body = serializers.ResetPasswordInput.read(request.data)
        device = await in_thread(
            passwords.reset_password,
            token=body["token"],
            password=body["password"],
            source=source_of(request._request, body.get("device", "")),
            at=timezone.now(),
        )
        return _without_body(device)


class ChangePasswordView(CustomerView):
    """POST /auth/password/change/"""

    write_limit = AUTH

    @operation(
        "change_password",
        "Change the password",
        description="All sessions but this one end.",
        request=serializers.ChangePasswordInput,
        responses={204: None},
        errors=[WrongPassword, TooManyAttempts],
    )
    async def post(self, request: Request) -> Response:
        """Change the password."""
        body = serializers.ChangePasswordInput.read(request.data)
        device = await in_thread(
            passwords.change_password,
            user_id=self.caller.id,
            current_password=body["current_password"],
            new_password=body["new_password"],
            keep_session=self.caller.session_id,
            source=source_of(request._request, body.get("device", "")),
            at=timezone.now(),
        )
        return _without_body(device)


async def request_password_reset(request: HttpRequest, data: Any) -> None:
    """Have the reset mail sent to `{"email": …}`, within what one address may have sent.

    Raises: ValidationError; TooManyRequests; Unavailable.
    """
    email = serializers.EmailInput.read(data)["email"]
    await limits.take(MAIL, limits.caller_of(request, None))
    await in_thread(passwords.request_reset, email=email, at=timezone.now())


async def request_link(request: HttpRequest, data: Any) -> None:
    """Have a link mailed that signs `{"email": …}` in; raises as `request_password_reset`."""
    email = serializers.EmailInput.read(data)["email"]
    await limits.take(MAIL, limits.caller_of(request, None))
    await in_thread(sessions.request_link, email=email, at=timezone.now())


def _user_agent(request: Request) -> str:
    return storable(request.META.get("HTTP_USER_AGENT", ""), 200)


def _answer(signed_in: SignedIn) -> Response:
    response = Response({**asdict(signed_in.pair), "device": signed_in.device})
    devices.set_cookie(response, signed_in.device)
    return response


def _without_body(device: str) -> Response:
    response = Response(status=204)
    devices.set_cookie(response, device)
    return response

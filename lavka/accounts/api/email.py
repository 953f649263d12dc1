"""Changing the e-mail address of an account."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.accounts.api import serializers
from lavka.accounts.api.auth import MAIL, AuthView
from lavka.accounts.devices import source_of
from lavka.accounts.errors import InvalidToken, TooManyAttempts, WrongPassword
from lavka.accounts.services import email_changes
from lavka.web.schema import operation
from lavka.web.views import CustomerView, in_thread


class ChangeEmailView(CustomerView):
    """POST /auth/email/change/"""

    write_limit = MAIL

    @operation(
        "request_email_change",
        "Ask for another e-mail address",
        description="A link is mailed to the new address, good for one hour and one use, and the "
        "old address is told. The address stays as it is until the new one is confirmed. A later "
        "request takes the place of this one; another password or signing out everywhere ends it. "
        "The answer is the same whether or not somebody else has the address.",
        request=serializers.ChangeEmailInput,
        responses={202: None},
        errors=[WrongPassword, TooManyAttempts],
        examples=[
            OpenApiExample(
                "address",
                {"email": "lovelace@example.com", "current_password": "correct horse battery"},
                request_only=True,
            )
        ],
    )
    async def post(self, request: Request) -> Response:
        """Ask for the mails."""
        body = serializers.ChangeEmailInput.read(request.data)
        await in_thread(
            email_changes.request_change,
            user_id=self.caller.id,
            new_email=body["email"],
            current_password=body["current_password"],
            session_id=self.caller.session_id,
            source=source_of(request._request, body.get("device", "")),
            at=timezone.now(),
        )
        return Response(status=202)


class ConfirmEmailView(AuthView):
    """POST /auth/email/confirm/"""

    @operation(
        "confirm_email_change",
        "Confirm another e-mail address",
        description="With the token of the mail to the new address, which is verified by it. All "
        "sessions end but the one that asked for the change; the old address is told. An address "
        "that somebody else has by then is refused as an invalid token.",
        request=serializers.MailTokenInput,
        responses={204: None},
        errors=[InvalidToken],
    )
    async def post(self, request: Request) -> Response:
        """Change the address."""
        body = serializers.MailTokenInput.read(request.data)
        await in_thread(email_changes.confirm_change, token=body["token"], at=timezone.now())
        return Response(status=204)


class UndoEmailView(AuthView):
    """POST /auth/email/undo/"""

    @operation(
        "undo_email_change",
        "Undo a change of the e-mail address",
        description="With the token of a mail to the old address, good for eight days, also after "
        "the change. The account has the old address then, no password and no sessions; a mail "
        "with a link that sets a password follows.",
        request=serializers.MailTokenInput,
        responses={204: None},
        errors=[InvalidToken],
    )
    async def post(self, request: Request) -> Response:
        """Keep or restore the old address."""
        body = serializers.MailTokenInput.read(request.data)
        await in_thread(email_changes.undo_change, token=body["token"], at=timezone.now())
        return Response(status=204)

"""Pages about accounts: verify an address, ask for a new password, set it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from lavka.accounts import selectors
from lavka.accounts.api import serializers
from lavka.accounts.api.auth import request_password_reset
from lavka.accounts.errors import InvalidToken
from lavka.accounts.services import passwords, registration
from lavka.kernel.errors import Invalid
from lavka.storefront.pages import customer_page, refuse, show
from lavka.web import problems
from lavka.web.views import in_thread


@customer_page("GET", "POST")
async def verify_email(request: HttpRequest) -> HttpResponse:
    """GET names the address, POST records that it is its owner's."""
    try:
        token = _token_of(request)
        if request.method == "POST":
            await in_thread(registration.verify_email, token=token, at=timezone.now())
        user = await in_thread(selectors.user_of_verification, token)
    except InvalidToken as invalid:
        return refuse(request, invalid, template="link_refused")
    context = {"token": token, "email": user.email, "is_verified": user.is_email_verified}
    return show(request, "verify_email", context)


@customer_page("GET", "POST")
async def reset_password(request: HttpRequest) -> HttpResponse:
    """GET asks for a new password, POST sets it."""
    errors: list[str] = []
    try:
        token = _token_of(request)
        user = await in_thread(selectors.user_of_reset, token)
        if request.method == "POST":
            fields = {"token": token, "password": request.POST.get("password", "")}
            errors = await _set_password(fields)
            if not errors:
                return show(request, "password_set", {})
    except InvalidToken as invalid:
        return refuse(request, invalid, template="reset_refused")
    context = {"token": token, "email": user.email, "errors": errors}
    return show(request, "reset_password", context, status=422 if errors else 200)


@customer_page("GET", "POST")
async def forgot_password(request: HttpRequest) -> HttpResponse:
    """GET asks for the address, POST has the mail sent; nobody learns who has an account."""
    if request.method != "POST":
        return show(request, "forgot_password", {})
    email = request.POST.get("email", "")
    try:
        await request_password_reset({"email": email})
    except ValidationError as refusal:
        context = {"email": email, "errors": _details_of(refusal)}
        return show(request, "forgot_password", context, status=422)
    return show(request, "reset_requested", {})


async def _set_password(fields: dict[str, str]) -> list[str]:
    """Why the password is refused, nothing when it is set; raises InvalidToken."""
    try:
        body = serializers.ResetPasswordInput.read(fields)
        await in_thread(passwords.reset_password, **body, at=timezone.now())
    except InvalidToken:
        raise
    except (ValidationError, Invalid) as refusal:
        return _details_of(refusal)
    return []


def _token_of(request: HttpRequest) -> str:
    """The token of the link, or of the form; raises InvalidToken for what cannot be one."""
    source = request.POST if request.method == "POST" else request.GET
    try:
        body = serializers.MailTokenInput.read({"token": source.get("token", "")})
    except ValidationError:
        raise InvalidToken from None
    return str(body["token"])


def _details_of(refusal: ValidationError | Invalid) -> list[str]:
    error = problems.as_shop_error(refusal)
    return [] if error is None else [each.detail for each in error.errors]

"""Pages about accounts: verify an address, set a new password, sign in by a mailed link."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from lavka.accounts import devices, selectors
from lavka.accounts.api import serializers
from lavka.accounts.api.auth import request_link, request_password_reset
from lavka.accounts.devices import source_of
from lavka.accounts.errors import InvalidToken
from lavka.accounts.services import email_changes, passwords, places, registration, sessions
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
async def change_email(request: HttpRequest) -> HttpResponse:
    """GET names the new address, POST makes it that of the account."""
    try:
        token = _token_of(request)
        change = await in_thread(selectors.email_change_to_confirm, token)
        if request.method == "POST":
            await in_thread(email_changes.confirm_change, token=token, at=timezone.now())
    except InvalidToken as invalid:
        return refuse(request, invalid, template="link_refused")
    context = {"token": token, "email": change.new_email, "is_done": request.method == "POST"}
    return show(request, "change_email", context)


@customer_page("GET", "POST")
async def undo_email_change(request: HttpRequest) -> HttpResponse:
    """GET names the old address, POST keeps or restores it and shuts everybody out."""
    try:
        token = _token_of(request)
        change = await in_thread(selectors.email_change_to_undo, token)
        if request.method == "POST":
            await in_thread(email_changes.undo_change, token=token, at=timezone.now())
    except InvalidToken as invalid:
        return refuse(request, invalid, template="link_refused")
    context = {
        "token": token,
        "email": change.old_email,
        "new_email": change.new_email,
        "is_done": request.method == "POST",
    }
    return show(request, "undo_email_change", context)


@customer_page("GET", "POST")
async def reset_password(request: HttpRequest) -> HttpResponse:
    """GET asks for a new password, POST sets it."""
    errors: list[str] = []
    try:
        token = _token_of(request)
        user = await in_thread(selectors.user_of_reset, token)
        if request.method == "POST":
            device, errors = await _set_password(request, token)
            if not errors:
                response = show(request, "password_set", {})
                devices.set_cookie(response, device)
                return response
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
        await request_password_reset(request, {"email": email})
    except ValidationError as refusal:
        context = {"email": email, "errors": _details_of(refusal)}
        return show(request, "forgot_password", context, status=422)
    return show(request, "reset_requested", {})


@customer_page("GET", "POST")
async def request_sign_in_link(request: HttpRequest) -> HttpResponse:
    """GET asks for the address, POST has the mail sent; nobody learns who has an account."""
    if request.method != "POST":
        return show(request, "request_sign_in_link", {})
    email = request.POST.get("email", "")
    try:
        await request_link(request, {"email": email})
    except ValidationError as refusal:
        context = {"email": email, "errors": _details_of(refusal)}
        return show(request, "request_sign_in_link", context, status=422)
    return show(request, "sign_in_link_requested", {})


@customer_page("GET", "POST")
async def sign_in(request: HttpRequest) -> HttpResponse:
    """GET shows whom a mailed link signs in, POST lets staff into the admin with it.

    These pages know no signed-in customers: theirs is a link for the pages of a shop front.
    """
    try:
        token = _token_of(request)
        user = await in_thread(selectors.user_of_sign_in, token, timezone.now())
        if request.method == "POST" and user.is_staff and "enter" in request.POST:
            return await in_thread(_enter_admin, request, token)
    except InvalidToken as invalid:
        return refuse(request, invalid, template="link_refused")
    context = {"token": token, "email": user.email, "is_staff": user.is_staff}
    return show(request, "sign_in", context)


def _enter_admin(request: HttpRequest, token: str) -> HttpResponse:
    at = timezone.now()
    user = sessions.redeem_link(token=token, at=at)
    device = places.remember_place(user_id=user.pk, source=source_of(request), at=at)
    sessions.log_sign_in(user, method="link")
    login(request, user, backend="lavka.accounts.backends.LockingBackend")
    response = HttpResponseRedirect(reverse("admin:index"))
    devices.set_cookie(response, device)
    return response


async def _set_password(request: HttpRequest, token: str) -> tuple[str, list[str]]:
    """The device's token, or why the password is refused; raises InvalidToken."""
    fields = {"token": token, "password": request.POST.get("password", "")}
    try:
        body = serializers.ResetPasswordInput.read(fields)
        device = await in_thread(
            passwords.reset_password, **body, source=source_of(request), at=timezone.now()
        )
    except InvalidToken:
        raise
    except (ValidationError, Invalid) as refusal:
        return "", _details_of(refusal)
    return device, []


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

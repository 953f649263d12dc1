"""Signing in to the admin, and changing one's own password there."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse_lazy
from django.utils import timezone
from unfold import forms

from lavka.accounts import devices
from lavka.accounts.api.auth import AUTH
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import User
from lavka.accounts.services import credentials, passwords
from lavka.kernel.errors import ShopError
from lavka.kernel.security_log import SecurityEvent
from lavka.kernel.threads import run_flow
from lavka.web import limits


class SignInForm(forms.AuthenticationForm):
    """E-mail and password, limited as in the API."""

    def clean(self) -> dict[str, Any]:
        """Refuse what comes too often."""
        _limit(self.request)
        cleaned: dict[str, Any] = super().clean()
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        """Say when the password was not even looked at."""
        refused = devices.SignInAttempt.of(self.request).refused
        if refused is not None:
            return ValidationError(refused.detail, refused.code)
        error: ValidationError = super().get_invalid_login_error()
        return error


class OwnPasswordForm(forms.AdminOwnPasswordChangeForm):
    """A new password of one's own; the old one cannot be guessed faster than at the door."""

    def __init__(self, user: User, *args: Any, request: HttpRequest, **options: Any) -> None:
        """Keep the request."""
        super().__init__(user, *args, **options)
        self.request = request

    def clean_old_password(self) -> str:
        """As Django's, but counted."""
        old: str = self.cleaned_data["old_password"]
        _limit(self.request)
        source, at = devices.source_of(self.request), timezone.now()
        try:
            proven = credentials.proven_user(
                email=self.user.email,
                password=old,
                source=source,
                at=at,
                event=SecurityEvent.PASSWORD_CHECK,
            )
        except TooManyAttempts as refused:
            raise ValidationError(refused.detail, refused.code) from refused
        if proven is None:
            raise ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return old

    def save(self, commit: bool = True) -> User:
        """Also tell the owner; this session stays."""
        user: User = super().save(commit)
        passwords.record_set_password(user_id=user.pk, at=timezone.now())
        return user


class OwnPasswordView(PasswordChangeView):
    """The page for it, instead of the admin's."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Hand the form its request."""
        return super().get_form_kwargs() | {"request": self.request}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What every page of the admin shows."""
        return super().get_context_data(**context) | admin.site.each_context(self.request)


def own_password(request: HttpRequest) -> HttpResponseBase:
    """For whoever may enter the admin."""
    response: HttpResponseBase = admin.site.admin_view(OwnPasswordView.as_view())(request)
    return response


def sign_out(request: HttpRequest) -> HttpResponseBase:
    """As the admin's, and have the browser forget what it saw; the device stays known."""
    response: HttpResponseBase = admin.site.logout(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _limit(request: HttpRequest) -> None:
    """Raises ValidationError, when requests come too often or cannot be counted."""
    try:
        run_flow(limits.take(AUTH, limits.caller_of(request, None)))
    except ShopError as refused:
        raise ValidationError(refused.detail, refused.code) from refused


admin.site.login_form, admin.site.login_template = SignInForm, "accounts/login.html"

"""The wire shapes of accounts."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.accounts import rules
from lavka.accounts.validators import MAX_PASSWORD
from lavka.addresses.api.serializers import PostalAddressInput, PostalAddressOutput
from lavka.web.serializers import Input, StrictBooleanField, StrictCharField

MAX_EMAIL, MAX_TOKEN, MAX_DEVICE = 254, 4096, 64


class EmailField(serializers.EmailField):
    """An e-mail address, read in its one spelling."""

    def __init__(self, **options: Any) -> None:
        """Bound the length as the column does."""
        super().__init__(max_length=MAX_EMAIL, **options)

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Spell the address after it was found to be one."""
        try:
            email = rules.normal_email(super().run_validation(data))
        except UnicodeError:
            self.fail("invalid")
        if len(email) > MAX_EMAIL:
            self.fail("max_length", max_length=MAX_EMAIL)
        return email


class PasswordField(StrictCharField):
    """A password, kept as it was typed."""

    def __init__(self, **options: Any) -> None:
        """Bound the work of hashing; never echo."""
        super().__init__(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, **options)


class TokenField(StrictCharField):
    """A token that the shop once issued."""

    def __init__(self, **options: Any) -> None:
        """Bound the length."""
        super().__init__(max_length=MAX_TOKEN, **options)


class DeviceInput(Input):
    """What an app shows to be known again; a browser has a cookie instead."""

    device = StrictCharField(
        max_length=MAX_DEVICE,
        required=False,
        help_text=_("What an earlier sign-in answered; for clients that keep no cookies."),
    )


class CredentialsInput(DeviceInput):
    """E-mail and password."""

    email = EmailField()
    password = PasswordField()


class RegisterInput(Input):
    """A new customer."""

    email = EmailField()
    password = PasswordField()
    name = StrictCharField(max_length=150, required=False, allow_blank=True)


class RegisteredOutput(Serializer):
    """The new account."""

    id = serializers.UUIDField()
    email = serializers.EmailField()


class RefreshInput(Input):
    """A refresh token."""

    refresh = TokenField()


class TokenPairOutput(Serializer):
    """The tokens of a session."""

    access = serializers.CharField(help_text=_("For `Authorization: Bearer …`; 5 minutes."))
    refresh = serializers.CharField(help_text=_("For one refresh, while the session lasts."))


class SignedInOutput(TokenPairOutput):
    """The tokens of a new session, and that of the device."""

    device = serializers.CharField(
        help_text=_("Keep it for the next sign-in: failures of others do not lock this device.")
    )


class MailTokenInput(Input):
    """The token of a mail."""

    token = TokenField()


class LinkTokenInput(MailTokenInput, DeviceInput):
    """The token of a mailed link."""


class EmailInput(Input):
    """An address."""

    email = EmailField()


class ResetPasswordInput(MailTokenInput, DeviceInput):
    """The token of a mail and the new password."""

    password = PasswordField()


class ChangePasswordInput(DeviceInput):
    """The password as it is and as it shall be."""

    current_password = PasswordField()
    new_password = PasswordField()


class ChangeEmailInput(DeviceInput):
    """The new address, and the password as proof."""

    email = EmailField()
    current_password = PasswordField()


class CloseAccountInput(DeviceInput):
    """The password, as proof."""

    current_password = PasswordField()


class ProfileInput(Input):
    """What users change about themselves."""

    name = StrictCharField(max_length=150, required=False, allow_blank=True)
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, help_text=_("Of their mail.")
    )


class ProfileOutput(Serializer):
    """A user, as they see themselves."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    is_email_verified = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    joined_at = serializers.DateTimeField()


class AddressInput(PostalAddressInput):
    """A postal address for the book."""

    is_default_shipping = StrictBooleanField(required=False)
    is_default_billing = StrictBooleanField(required=False)


class AddressOutput(PostalAddressOutput):
    """A postal address in the book."""

    id = serializers.UUIDField()
    is_default_shipping = serializers.BooleanField()
    is_default_billing = serializers.BooleanField()


class SessionOutput(Serializer):
    """Where the user is signed in."""

    id = serializers.UUIDField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        """Add whether the request at hand belongs to this session."""
        return super().get_fields() | {"is_current": serializers.SerializerMethodField()}

    def get_is_current(self, session: Any) -> bool:
        """Compare with the id in the access token."""
        return bool(session.pk == self.context["session_id"])

"""The staff's pages for people: users, groups, addresses, sessions, login failures."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ChoiceField, MultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold import forms
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from lavka.accounts import rules, scopes
from lavka.accounts.models import Address, ApiKey, LoginFailure, Session, User
from lavka.accounts.services import credentials, keys, passwords, sessions
from lavka.kernel.admin import ReadOnly, Untouchable

admin.site.unregister(Group)


class NormalEmail:
    """Keeps the e-mail of a form in its one spelling."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """Refuse a domain that has no ASCII form."""
        try:
            return rules.normal_email(self.cleaned_data["email"])
        except ValueError:
            raise ValidationError(_("Enter a valid email address.")) from None


class UserForm(NormalEmail, forms.UserChangeForm):
    """A user who exists."""


class NewUserForm(NormalEmail, forms.UserCreationForm):
    """A new user."""


class PasswordForm(forms.AdminPasswordChangeForm):
    """A password that staff set for somebody."""

    def save(self, commit: bool = True) -> User:
        """Also end the user's sessions, and have them told."""
        user: User = super().save(commit)
        passwords.record_set_password(user_id=user.pk, at=timezone.now())
        return user


class SessionInline(ReadOnly, TabularInline):
    """Where the user is signed in."""

    model = Session
    # Without the customer's device.
    fields = ["created_at", "used_at", "expires_at", "revoked_at"]
    ordering = ["-used_at"]
    extra = 0
    per_page = 10
    can_delete = False
    tab = True


class AddressInline(TabularInline):
    """The user's address book."""

    model = Address
    fields = ["name", "line1", "city", "country", "is_default_shipping", "is_default_billing"]
    extra = 0
    tab = True
    show_change_link = True


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Customers and staff; only superusers hand out rights or touch other staff."""

    form, add_form, change_password_form = UserForm, NewUserForm, PasswordForm
    list_display = ["email", "name", "is_verified", "is_staff", "is_active", "joined_at"]
    list_filter = [
        "is_staff",
        "is_superuser",
        "is_active",
        ("email_verified_at", admin.EmptyFieldListFilter),
        "joined_at",
        "groups",
    ]
    search_fields = ["email", "name"]
    ordering = ["-joined_at"]
    readonly_fields = ["email_verified_at", "last_login", "joined_at", "closed_at"]
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "language"]}),
        (
            _("Rights"),
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        (_("Dates"), {"fields": ["email_verified_at", "last_login", "joined_at", "closed_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "language", "password1", "password2"]})]
    inlines = [AddressInline, SessionInline]
    actions = ["revoke_sessions", "unlock"]
    show_full_result_count = False

    @admin.display(description=_("verified"), boolean=True, ordering="email_verified_at")
    def is_verified(self, user: User) -> bool:
        """The badge in the list."""
        return user.is_email_verified

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def revoke_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End all sessions of the chosen users."""
        user_ids = list(queryset.values_list("pk", flat=True))
        ended = sessions.revoke_sessions(user_ids=user_ids, at=timezone.now())
        self.message_user(request, _("Sessions ended: %(count)s.") % {"count": ended})

    @admin.action(description=_("Unlock after failed attempts"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Forget the failures of the chosen users' addresses."""
        emails = list(queryset.values_list("email", flat=True))
        unlocked = credentials.unlock(emails=emails)
        self.message_user(request, _("Addresses unlocked: %(count)s.") % {"count": unlocked})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Languages are chosen from those that the shop speaks."""
        if db_field.name != "language":
            return super().formfield_for_dbfield(db_field, request, **options)
        return ChoiceField(
            choices=settings.LANGUAGES,
            label=db_field.verbose_name,
            help_text=db_field.help_text,
            widget=UnfoldAdminSelectWidget,
        )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """A user who does not exist yet has neither addresses nor sessions."""
        return [] if obj is None else list(self.inlines)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Rights are read-only for all but superusers, so that nobody raises themselves."""
        fixed = list(self.readonly_fields)
        if not self._is_superuser(request):
            fixed += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff are changed by superusers."""
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff are deleted by superusers."""
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Another address is not verified yet, and whoever has it signs in anew."""
        has_new_email = change and "email" in form.changed_data
        if has_new_email:
            obj.email_verified_at = None
        super().save_model(request, obj, form, change)
        if has_new_email:
            sessions.revoke_sessions(user_ids=[obj.pk], at=timezone.now())

    def _may_touch(self, request: HttpRequest, user: User | None) -> bool:
        return user is None or not user.is_staff or self._is_superuser(request)

    def _is_superuser(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Roles: named sets of rights."""


@admin.register(Address)
class AddressAdmin(ModelAdmin):
    """Address books."""

    list_display = ["user", "name", "city", "country", "is_default_shipping", "is_default_billing"]
    list_filter = ["country"]
    list_select_related = ["user"]
    search_fields = ["user__email", "name", "city", "postal_code"]
    raw_id_fields = ["user"]
    show_full_result_count = False


@admin.register(Session)
class SessionAdmin(ReadOnly, ModelAdmin):
    """Who is signed in where."""

    list_display = ["user", "created_at", "used_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "created_at", "used_at", "expires_at", "revoked_at"]
    ordering = ["-used_at"]
    show_full_result_count = False


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnly, ModelAdmin):
    """Addresses with failed attempts; deleting one unlocks it."""

    list_display = ["email", "failures", "failed_at", "locked_until"]
    list_filter = [("locked_until", admin.EmptyFieldListFilter)]
    search_fields = ["email"]
    ordering = ["-failed_at"]
    show_full_result_count = False


@admin.register(ApiKey)
class ApiKeyAdmin(Untouchable, ModelAdmin):
    """Keys of programs: a new one is shown once; what a key may do never changes."""

    list_display = ["name", "prefix", "created_by", "created_at", "used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["created_by"]
    search_fields = ["name", "=prefix"]
    fields = ["name", "scopes", "expires_at"]
    ordering = ["-id"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever has the right."""
        return request.user.has_perm("accounts.add_apikey")

    def get_form(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """A box for each scope that the maker may hand on."""
        form = super().get_form(request, *args, **options)
        held = scopes.scopes_for(cast("User", request.user).get_all_permissions())
        form.base_fields["scopes"] = MultipleChoiceField(
            label=_("scopes"),
            choices=[(scope.value, scope.label) for scope in held],
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )
        return form

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change a key."""
        return request.user.has_perm("accounts.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make it, and show the key this once."""
        made, key = keys.create_key(
            name=obj.name,
            scopes=obj.scopes,
            created_by=cast("User", request.user).pk,
            expires_at=obj.expires_at,
            at=timezone.now(),
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        told = _("The key is %(key)s. It is shown only now.") % {"key": key}
        self.message_user(request, told)

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Close them at once."""
        for key_id in queryset.values_list("pk", flat=True):
            keys.revoke_key(key_id=key_id, at=timezone.now())

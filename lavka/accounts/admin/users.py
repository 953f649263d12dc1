"""The staff's pages for users, groups and addresses."""

import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold import forms
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from lavka.accounts import rules, selectors
from lavka.accounts.admin import changes
from lavka.accounts.admin.reach import WithinReach, acting_user
from lavka.accounts.models import Address, Session, User
from lavka.accounts.services import credentials, keys, passwords, sessions
from lavka.addresses.formats import address_html
from lavka.addresses.forms import AddressForm
from lavka.addresses.rules import FIELDS
from lavka.kernel import security_log
from lavka.kernel.admin import HidesReadOnlyFieldsOnAdd, ModelAdmin, ReadOnly
from lavka.kernel.security_log import Object, SecurityEvent

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
        """Also end the user's sessions, and have them told; `User.save` logs a new password."""
        user: User = super().save(commit)
        passwords.record_set_password(user_id=user.pk, at=timezone.now())
        if not user.has_usable_password():
            on = Object("user", user.pk)
            security_log.record(SecurityEvent.PASSWORD_SET, on, usable=False)
        return user


_RIGHTS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}


def named_rights(field: Any) -> Any:
    """Show permissions in the reader's language; the names that Django stores are English."""
    if field.queryset.model is Permission:
        field.label_from_instance = name_of_right
    return field


def name_of_right(permission: Permission) -> str:
    """The app, the kind of object, and what may be done with it."""
    verb = _RIGHTS.get(permission.codename.partition("_")[0], permission.name)
    return f"{permission.content_type} | {verb}"


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


class AddressInline(ReadOnly, TabularInline):
    """The user's address book; each address is changed on its own page."""

    model = Address
    fields = ["name", "line1", "city", "country", "is_default_shipping", "is_default_billing"]
    extra = 0
    tab = True
    show_change_link = True


@admin.register(User)
class UserAdmin(WithinReach, DjangoUserAdmin, ModelAdmin):
    """Customers and staff; only superusers hand out rights or touch whoever has some."""

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
    ids_matching = selectors.user_ids_matching
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
        user_ids = list(self._in_reach(request, queryset).values_list("pk", flat=True))
        ended = sessions.sign_out_everywhere(user_ids=user_ids, at=timezone.now())
        self.message_user(request, _("Sessions ended: %(count)s.") % {"count": ended})

    @admin.action(description=_("Unlock after failed attempts"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Forget the failures of the chosen users' addresses."""
        emails = list(self._in_reach(request, queryset).values_list("email", flat=True))
        unlocked = credentials.clear_failures(emails=emails)
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

    def formfield_for_manytomany(self, db_field: Any, *args: Any, **options: Any) -> Any:
        """Rights by what they allow."""
        return named_rights(super().formfield_for_manytomany(db_field, *args, **options))

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """A user who does not exist yet has neither addresses nor sessions."""
        return [] if obj is None else list(self.inlines)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Rights are read-only for all but superusers, so that nobody raises themselves."""
        fixed = list(self.readonly_fields)
        if not acting_user(request).is_superuser:
            fixed += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fixed

    def owner_of(self, obj: User) -> User:
        """Users are their own."""
        return obj

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Another address is not verified yet, and whoever has it signs in anew."""
        has_new_email = change and "email" in form.changed_data
        if has_new_email:
            obj.email_verified_at = None
        open_keys = keys.open_keys_of(obj.pk) if change else []
        super().save_model(request, obj, form, change)
        keys.log_revoked(keys=open_keys)
        if has_new_email:
            sessions.revoke_sessions(user_ids=[obj.pk], at=timezone.now())
        changes.log_account(obj, form.changed_data if change else [], is_new=not change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Log what became of the rights."""
        before = changes.rights_of(form.instance)
        super().save_related(request, form, formsets, change)
        changes.log_rights(form.instance, before, form.changed_data)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Log it."""
        changes.log_deletion(SecurityEvent.ACCOUNT_DELETED, "user", [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Log each."""
        changes.log_deletion(SecurityEvent.ACCOUNT_DELETED, "user", queryset)
        super().delete_queryset(request, queryset)

    def _in_reach(self, request: HttpRequest, chosen: QuerySet[User]) -> QuerySet[User]:
        """Those of the chosen whom the acting user may change; tells how many are left out."""
        reached = chosen & selectors.users_in_reach(acting_user(request))
        left_out = chosen.count() - reached.count()
        if left_out:
            told = _("Only a superuser may do this to staff. Left out: %(count)s.")
            self.message_user(request, told % {"count": left_out}, messages.ERROR)
        return reached


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Roles: named sets of rights. Whoever edits one could give its members any right."""

    def formfield_for_manytomany(self, db_field: Any, *args: Any, **options: Any) -> Any:
        """Rights by what they allow."""
        return named_rights(super().formfield_for_manytomany(db_field, *args, **options))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return acting_user(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers."""
        return acting_user(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers."""
        return acting_user(request).is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Log what became of its rights."""
        before = changes.permissions_of(form.instance)
        super().save_related(request, form, formsets, change)
        changes.log_group(form.instance, before, form.changed_data, is_new=not change)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        """Log it."""
        changes.log_deletion(SecurityEvent.GROUP_DELETED, "group", [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        """Log each."""
        changes.log_deletion(SecurityEvent.GROUP_DELETED, "group", queryset)
        super().delete_queryset(request, queryset)


@admin.register(Address)
class AddressAdmin(HidesReadOnlyFieldsOnAdd, WithinReach, ModelAdmin):
    """Address books."""

    form = AddressForm
    fields = [
        "user", *FIELDS, "is_default_shipping", "is_default_billing", "written", "added_at",
    ]  # fmt: skip
    list_display = ["user", "name", "city", "country", "is_default_shipping", "is_default_billing"]
    list_filter = ["country"]
    list_select_related = ["user"]
    search_fields = [
        "user__email",
        "name__folded__contains",
        "city__folded__contains",
        "postal_code",
    ]
    raw_id_fields = ["user"]
    readonly_fields = ["written", "added_at"]
    show_full_result_count = False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """An address goes into no book that the acting user may not change."""
        if db_field.name == "user":
            options["queryset"] = selectors.users_in_reach(acting_user(request))
        return super().formfield_for_foreignkey(db_field, request, **options)

    @admin.display(description=_("created at"))
    def added_at(self, address: Address) -> datetime.datetime:
        """When it came into the book."""
        return address.created_at

    @admin.display(description=_("on a parcel"))
    def written(self, address: Address) -> str:
        """As its country writes it."""
        return address_html({name: getattr(address, name) for name in FIELDS})

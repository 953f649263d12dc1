"""The staff's pages for sessions, failed sign-ins and API keys."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import MultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from lavka.accounts import scopes
from lavka.accounts.admin.reach import WithinReach, acting_user
from lavka.accounts.models import ApiKey, LoginFailure, Session, User
from lavka.accounts.services import credentials, keys, sessions
from lavka.kernel.admin import ModelAdmin, ReadOnly, Untouchable
from lavka.kernel.errors import Denied


@admin.register(Session)
class SessionAdmin(WithinReach, ReadOnly, ModelAdmin):
    """Who is signed in where."""

    list_display = ["user", "created_at", "used_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "created_at", "used_at", "expires_at", "revoked_at"]
    ordering = ["-used_at"]
    show_full_result_count = False

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        """Sign it out."""
        sessions.delete_sessions(sessions=[obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Sign each out."""
        sessions.delete_sessions(sessions=queryset)


@admin.register(LoginFailure)
class LoginFailureAdmin(WithinReach, ReadOnly, ModelAdmin):
    """Failed attempts by account and place; deleting some unlocks it."""

    list_display = ["email", "source", "failures", "failed_at", "locked_until"]
    list_filter = [("locked_until", admin.EmptyFieldListFilter)]
    search_fields = ["email", "=source"]
    ordering = ["-failed_at"]
    show_full_result_count = False

    def owner_of(self, obj: LoginFailure) -> User | None:
        """Whoever has the address, if anybody does."""
        return User.objects.filter(email=obj.email).first()

    def delete_model(self, request: HttpRequest, obj: LoginFailure) -> None:
        """Unlock that place."""
        credentials.delete_failures(failures=[obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LoginFailure]) -> None:
        """Unlock those places."""
        credentials.delete_failures(failures=queryset)


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
        held = scopes.scopes_for(acting_user(request).get_all_permissions())
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
            created_by=acting_user(request).pk,
            expires_at=obj.expires_at,
            at=timezone.now(),
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        told = _("The key is %(key)s. It is shown only now.") % {"key": key}
        self.message_user(request, told)

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Close them at once."""
        for key in queryset:
            try:
                keys.revoke_key(key_id=key.pk, by=acting_user(request).pk, at=timezone.now())
            except Denied as refused:
                self.message_user(request, f"{key}: {refused.detail}", messages.ERROR)

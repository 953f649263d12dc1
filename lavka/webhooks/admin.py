"""The staff's pages for webhooks."""

from collections.abc import Container
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from lavka.kernel.actors import email_of
from lavka.kernel.admin import HidesReadOnlyFieldsOnAdd, ModelAdmin, ToldByRight, Untouchable
from lavka.kernel.errors import Denied, Invalid, ShopError
from lavka.webhooks import rules, services
from lavka.webhooks.models import Attempt, Delivery, Endpoint, SigningKey
from lavka.webhooks.rules import NAMES, RIGHTS, EndpointStatus
from lavka.webhooks.signatures import Keys


class EndpointForm(forms.ModelForm):
    """An endpoint, as staff fill it in."""

    events = forms.MultipleChoiceField(
        label=_("events"),
        choices=[(name, name) for name in NAMES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Empty for every event, also those that come with later versions."),
    )

    held: Container[str] = ()

    def clean_events(self) -> list[str]:
        """Refuse events about what this member of the staff may not read."""
        events = list(self.cleaned_data["events"])
        try:
            services.require_readable(events, self.held)
        except Denied as refused:
            raise ValidationError(refused.detail) from refused
        return events

    def clean_url(self) -> str:
        """Refuse what would never be called."""
        url = str(self.cleaned_data["url"])
        try:
            services.refuse_address(url)
        except Invalid as refused:
            raise ValidationError(refused.errors[0].detail) from refused
        return url


class KeyInline(Untouchable, TabularInline):
    """The keys that sign; the secret part is never shown again."""

    model = SigningKey
    fields = ["public_key", "created_at", "expires_at"]
    readonly_fields = fields
    extra = 0


@admin.register(Endpoint)
class EndpointAdmin(HidesReadOnlyFieldsOnAdd, ModelAdmin):
    """Which programs are told of what; whoever saves one owns it."""

    form = EndpointForm
    fields = [
        "name", "url", "events", "status", "failures", "open_until", "owner", "withheld",
    ]  # fmt: skip
    readonly_fields = ["status", "failures", "open_until", "owner", "withheld"]
    list_display = ["name", "url", "status", "failures", "open_until", "owner", "withheld"]
    list_filter = ["status"]
    search_fields = ["name", "url"]
    inlines = [KeyInline]
    actions = ["enable", "disable", "ping", "rotate"]

    def get_form(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """The form knows what its user may read."""
        return type(
            "Form", (super().get_form(request, *args, **options),), {"held": _held_by(request)}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """With their owners, and what those may read."""
        endpoints = Endpoint.objects.with_owner_rights()
        return endpoints.annotate(owner_email=email_of("owner_id")).order_by("-pk")

    @admin.display(description=_("owner"))
    def owner(self, endpoint: Any) -> str:
        """Their address, or what is left of a deleted account."""
        return str(endpoint.owner_email or endpoint.owner_id or "")

    @admin.display(description=_("not sent"))
    def withheld(self, endpoint: Endpoint) -> str:
        """Which events, and how they are sent again."""
        if not endpoint.withheld_events:
            return ""
        reason = _(
            "%(events)s: the owner may not read them any more. Save the endpoint to become its "
            "owner."
        )
        return reason % {"events": ", ".join(endpoint.withheld_events)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save through the services; a new endpoint's secret is shown this once."""
        content = {name: form.cleaned_data[name] for name in ("name", "url", "events")}
        who: dict[str, Any] = {"held": _held_by(request), "by": request.user.pk}
        if change:
            services.update_endpoint(endpoint_id=obj.pk, at=timezone.now(), **who, **content)
            return
        endpoint, keys = services.create_endpoint(**who, **content)
        obj.pk, obj._state.adding = endpoint.pk, False
        self._show(request, obj, keys)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Tell them again, and forget their failures."""
        self._set(request, queryset, EndpointStatus.ENABLED)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Tell them nothing, and call off what is under way."""
        self._set(request, queryset, EndpointStatus.DISABLED)

    @admin.action(description=_("Send a test message"), permissions=["change"])
    def ping(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """See whether they answer."""
        for endpoint in queryset:
            try:
                services.ping_endpoint(endpoint_id=endpoint.pk, at=timezone.now())
            except ShopError as refused:
                self.message_user(request, f"{endpoint}: {refused.detail}", messages.ERROR)

    @admin.action(description=_("Sign with new keys"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Show the new secrets; the old ones sign too for another day."""
        held = _held_by(request)
        for endpoint in queryset:
            try:
                keys = services.rotate_keys(endpoint_id=endpoint.pk, at=timezone.now(), held=held)
            except ShopError as refused:
                self.message_user(request, f"{endpoint}: {refused.detail}", messages.ERROR)
            else:
                self._show(request, endpoint, keys)

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        """Delete through the service."""
        services.delete_endpoint(endpoint_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Delete each through the service."""
        for endpoint_id in list(queryset.values_list("pk", flat=True)):
            services.delete_endpoint(endpoint_id=endpoint_id)

    def _set(self, request: HttpRequest, endpoints: QuerySet[Endpoint], status: str) -> None:
        who: dict[str, Any] = {"held": _held_by(request), "by": request.user.pk}
        for endpoint in endpoints:
            try:
                services.update_endpoint(
                    endpoint_id=endpoint.pk, at=timezone.now(), status=status, **who
                )
            except ShopError as refused:
                self.message_user(request, f"{endpoint}: {refused.detail}", messages.ERROR)

    def _show(self, request: HttpRequest, endpoint: Endpoint, keys: Keys) -> None:
        text = _("The secret of %(name)s, shown this once: %(secret)s")
        self.message_user(
            request, text % {"name": endpoint, "secret": keys.shared}, messages.WARNING
        )


def _held_by(request: HttpRequest) -> frozenset[str]:
    return frozenset(right for right in RIGHTS if request.user.has_perm(right))


class AttemptInline(Untouchable, TabularInline):
    """What the receiver said."""

    model = Attempt
    fields = ["started_at", "duration", "status_code", "error", "excerpt"]
    readonly_fields = fields
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(ToldByRight, ModelAdmin):
    """The log of deliveries, and sending them again."""

    list_display = [
        "event_name", "endpoint", "status", "tries", "created_at", "next_attempt_at", "finished_at",
    ]  # fmt: skip
    list_filter = ["status", "endpoint", "event_name", "created_at"]
    list_select_related = ["endpoint"]
    search_fields = ["=event_id"]
    inlines = [AttemptInline]
    actions = ["replay"]
    show_full_result_count = False

    @admin.action(description=_("Send again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Send what has ended once more."""
        held = _held_by(request)
        for delivery in queryset:
            try:
                services.replay_delivery(delivery_id=delivery.pk, at=timezone.now(), held=held)
            except ShopError as refused:
                self.message_user(request, f"{delivery}: {refused.detail}", messages.ERROR)

    def withhold(self, shown: Delivery, held: Container[str]) -> None:
        """As the API."""
        shown.body = rules.told_of(shown.event_name, shown.body, held)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries; nobody edits them by hand."""
        return request.user.has_perm("webhooks.change_delivery")

"""The staff's pages for stock."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from lavka.inventory import services
from lavka.inventory.models import (
    MAX_UNITS,
    Allocation,
    Hold,
    StockLevel,
    StockMovement,
    StockPolicy,
    Warehouse,
)
from lavka.kernel.actors import Actor, email_of
from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.kernel.errors import ShopError


class StockAdmin(ModelAdmin):
    """A page whose service may refuse; the refusal is shown, and nothing is saved."""

    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what a service refused after the form had looked right."""
        try:
            shown: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ShopError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return shown


@admin.register(Warehouse)
class WarehouseAdmin(StockAdmin):
    """Where stock may lie."""

    list_display = ["name", "code", "priority"]
    list_editable = ["priority"]
    search_fields = ["name__folded__contains", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A code stays for good."""
        return ["code"] if obj else []

    def save_model(self, request: HttpRequest, obj: Warehouse, form: Any, change: bool) -> None:
        """Save through the services."""
        if change:
            content = {name: form.cleaned_data[name] for name in form.changed_data}
            services.update_warehouse(code=obj.code, **content)
            return
        obj.pk = services.create_warehouse(**form.cleaned_data).pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Warehouse) -> None:
        """Delete through the service."""
        services.delete_warehouse(code=obj.code)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Warehouse]) -> None:
        """Delete each through the service."""
        for code in list(queryset.values_list("code", flat=True)):
            services.delete_warehouse(code=code)


@admin.display(description=_("by"))
def shown_by(_page: object, movement: StockMovement) -> str:
    """Who made a movement."""
    return movement.by.shown(getattr(movement, "actor_email", None))


class MovementInline(Untouchable, TabularInline):
    """The level's lines in the ledger."""

    model = StockMovement
    fields = ["created_at", "quantity", "reason", "reference", "who"]
    readonly_fields = fields
    per_page = 20
    extra = 0
    who = shown_by

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        """With the addresses of those who made them."""
        movements: QuerySet[StockMovement] = super().get_queryset(request)
        return movements.annotate(actor_email=email_of("actor_id"))


class LevelForm(forms.ModelForm):
    """A count, as staff make it."""

    on_hand = forms.IntegerField(
        label=_("on hand"), min_value=0, max_value=MAX_UNITS, widget=UnfoldAdminIntegerFieldWidget
    )


@admin.register(StockLevel)
class StockLevelAdmin(StockAdmin):
    """What lies where; a new count goes through the service and into the ledger."""

    form = LevelForm
    fields = ["variant", "warehouse", "on_hand", "reserved", "available"]
    list_display = ["variant", "warehouse", "on_hand", "reserved", "available"]
    list_filter = ["warehouse"]
    list_select_related = ["variant", "warehouse"]
    search_fields = ["variant__sku", "variant__product__name__folded__contains"]
    autocomplete_fields = ["variant", "warehouse"]
    inlines = [MovementInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A level stays where it is."""
        counters = ["reserved", "available"]
        return ["variant", "warehouse", *counters] if obj else counters

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Count through the service."""
        level = services.set_on_hand(
            variant_id=obj.variant_id,
            warehouse=obj.warehouse.code,
            on_hand=form.cleaned_data["on_hand"],
            actor=Actor.staff(request.user.pk),
        )
        obj.pk, obj._state.adding = level.pk, False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the ledger leans on it."""
        return False


@admin.register(StockPolicy)
class StockPolicyAdmin(StockAdmin):
    """What happens when a variant is out."""

    list_display = [
        "variant", "when_out", "backorder_limit", "available_on", "low_stock_threshold",
    ]  # fmt: skip
    list_filter = ["when_out"]
    list_select_related = ["variant"]
    search_fields = ["variant__sku"]
    autocomplete_fields = ["variant"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A policy stays with its variant."""
        return ["variant"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Set through the service, which moves the limit to the stock level."""
        services.set_policy(
            variant_id=obj.variant_id,
            when_out=obj.when_out,
            backorder_limit=obj.backorder_limit,
            available_on=obj.available_on,
            low_stock_threshold=obj.low_stock_threshold,
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: deny is the policy of those that have none."""
        return False


@admin.register(Hold)
class HoldAdmin(Untouchable, ModelAdmin):
    """What carts keep from others for a while.

    Without pages: a hold's id is its cart's, which is the key to a guest's cart.
    """

    list_display_links = None
    shows_ids = False
    search_fields = ["reservations__level__variant__sku", "=address", "=customer_id"]

    @admin.display(description=_("contents"))
    def contents(self, hold: Hold) -> str:
        """Units of which level."""
        return ", ".join(map(str, hold.reservations.all()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        """With what they keep."""
        holds: QuerySet[Hold] = super().get_queryset(request)
        levels = ("reservations__level__variant", "reservations__level__warehouse")
        return holds.prefetch_related(*levels)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody opens one."""
        return obj is None and bool(super().has_view_permission(request, obj))

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """With a button for those who may end holds."""
        shown = ["contents", "customer_id", "address", "created_at", "expires_at", "ends_at"]
        return [*shown, "release"] if request.user.has_perm("inventory.delete_hold") else shown

    @admin.display(description=_("release"))
    def release(self, hold: Hold) -> str:
        """A button; Django's own actions would name the hold's id in the page."""
        address = reverse("admin:inventory_hold_release", args=[hold.reference])
        return format_html(
            '<button type="submit" formaction="{}">{}</button>', address, _("Release")
        )

    def get_urls(self) -> list[Any]:
        """Where the button leads."""
        view = self.admin_site.admin_view(self.release_view)
        own = path("<uuid:reference>/release/", view, name="inventory_hold_release")
        return [own, *super().get_urls()]

    def release_view(self, request: HttpRequest, reference: UUID) -> HttpResponse:
        """Let others buy what a hold keeps."""
        if request.method != "POST" or not request.user.has_perm("inventory.delete_hold"):
            raise PermissionDenied
        with suppress(Hold.DoesNotExist):  # it ended meanwhile
            services.release_hold(reference=reference, at=timezone.now())
        self.message_user(request, _("Released."))
        return HttpResponseRedirect(reverse("admin:inventory_hold_changelist"))


@admin.register(Allocation)
class AllocationAdmin(Untouchable, ModelAdmin):
    """What belongs to orders."""

    list_display = ["order_id", "level", "quantity", "shipped", "returned", "created_at"]
    list_select_related = ["level__variant", "level__warehouse"]
    search_fields = ["=order_id"]
    show_full_result_count = False


@admin.register(StockMovement)
class StockMovementAdmin(Untouchable, ModelAdmin):
    """The ledger."""

    list_display = ["created_at", "sku", "warehouse", "quantity", "reason", "reference", "who"]
    list_filter = ["reason", "level__warehouse", "created_at"]
    list_select_related = ["level__variant", "level__warehouse"]
    search_fields = ["level__variant__sku", "=reference"]
    show_full_result_count = False

    who = shown_by

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        """With the addresses of those who made them."""
        movements: QuerySet[StockMovement] = super().get_queryset(request)
        return movements.annotate(actor_email=email_of("actor_id"))

    @admin.display(description=_("SKU"))
    def sku(self, movement: StockMovement) -> str:
        """Of which variant."""
        return movement.level.variant.sku

    @admin.display(description=_("warehouse"))
    def warehouse(self, movement: StockMovement) -> str:
        """Where."""
        return movement.level.warehouse.name

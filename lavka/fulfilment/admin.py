"""The staff's pages for shipments and returns; every change goes through a service."""

from collections.abc import Callable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.fulfilment import services
from lavka.fulfilment.models import ReturnLine, ReturnRequest, Shipment, ShipmentLine
from lavka.kernel.actors import Actor
from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.orders.admin import take_step


class ShipmentLineInline(Untouchable, TabularInline):
    """What is in the parcel."""

    model = ShipmentLine
    fields = ["order_line", "quantity"]
    extra = 0


class ReturnLineInline(Untouchable, TabularInline):
    """What comes back."""

    model = ReturnLine
    fields = ["order_line", "quantity"]
    extra = 0


@admin.register(Shipment)
class ShipmentAdmin(Untouchable, ModelAdmin):
    """Parcels, the newest first."""

    list_display = ["order", "status", "carrier", "tracking_number", "sent_at", "delivered_at"]
    list_filter = ["status", "carrier", "sent_at"]
    list_select_related = ["order"]
    search_fields = ["=tracking_number", "=order__number"]
    inlines = [ShipmentLineInline]
    actions = ["mark_delivered"]
    show_full_result_count = False

    @admin.action(description=_("Mark as delivered"), permissions=["deliver"])
    def mark_delivered(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> None:
        """The parcels arrived."""
        actor, at = Actor.staff(request.user.pk), timezone.now()
        take_step(
            self, request, queryset,
            lambda each: services.mark_delivered(shipment_id=each.pk, actor=actor, at=at),
        )  # fmt: skip

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        """Whoever may change shipments."""
        return request.user.has_perm("fulfilment.change_shipment")


@admin.register(ReturnRequest)
class ReturnRequestAdmin(Untouchable, ModelAdmin):
    """Returns, the newest first; those that are requested wait for a decision."""

    list_display = ["order", "status", "reason", "requested_at", "received_at"]
    list_filter = ["status", "reason", "requested_at"]
    list_select_related = ["order"]
    search_fields = ["=order__number"]
    inlines = [ReturnLineInline]
    actions = ["approve", "refuse", "receive_and_restock", "receive_damaged"]
    show_full_result_count = False

    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[ReturnRequest]) -> None:
        """The customers may send it back."""
        self._step(request, queryset, services.decide_return, is_approved=True)

    @admin.action(description=_("Refuse"), permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[ReturnRequest]) -> None:
        """The customers keep it."""
        self._step(request, queryset, services.decide_return, is_approved=False)

    @admin.action(description=_("Received, back on the shelf"), permissions=["decide"])
    def receive_and_restock(self, request: HttpRequest, queryset: QuerySet[ReturnRequest]) -> None:
        """It came back as new."""
        self._step(request, queryset, services.receive_return, restock=True)

    @admin.action(description=_("Received, not to be sold again"), permissions=["decide"])
    def receive_damaged(self, request: HttpRequest, queryset: QuerySet[ReturnRequest]) -> None:
        """It came back broken."""
        self._step(request, queryset, services.receive_return, restock=False)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whoever may change returns."""
        return request.user.has_perm("fulfilment.change_returnrequest")

    def _step(
        self,
        request: HttpRequest,
        rows: QuerySet[ReturnRequest],
        service: Callable[..., object],
        **how: bool,
    ) -> None:
        actor, at = Actor.staff(request.user.pk), timezone.now()
        take_step(
            self, request, rows,
            lambda each: service(return_id=each.pk, actor=actor, at=at, **how),
        )  # fmt: skip

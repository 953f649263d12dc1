"""The staff's pages for orders; every change goes through a service."""

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.addresses.formats import address_html
from lavka.catalog.admin.fields import preview
from lavka.catalog.rules import name_with_options
from lavka.kernel.actors import Actor
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column
from lavka.kernel.errors import ShopError
from lavka.orders import selectors, services
from lavka.orders.models import NumberSeries, Order, OrderEvent, OrderLine, OrderQuerySet


def take_step(
    page: ModelAdmin, request: HttpRequest, rows: QuerySet[Any], step: Callable[[Any], object]
) -> None:
    """Do `step` with each chosen row, and say which it was refused for."""
    done = 0
    for row in rows:
        try:
            step(row)
        except ShopError as refusal:
            page.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
        else:
            done += 1
    if done:
        page.message_user(request, _("Done: %(count)s.") % {"count": done})


class LineInline(Untouchable, TabularInline):
    """What was bought."""

    model = OrderLine
    price = money_column(OrderLine, "unit_price_amount", "order.currency")
    discount = money_column(OrderLine, "discount_amount", "order.currency")
    tax = money_column(OrderLine, "tax_amount", "order.currency")
    total = money_column(OrderLine, "total_amount", "order.currency")
    fields = [
        "preview", "sku", "title", "quantity", "price", "discount", "tax", "total",
        "fulfilled_quantity", "returned_quantity", "refunded_quantity",
    ]  # fmt: skip
    readonly_fields = ["preview", "title", "price", "discount", "tax", "total"]
    extra = 0
    tab = True

    @admin.display(description=_("preview"))
    def preview(self, line: OrderLine) -> str:
        """The picture as it was when it was bought."""
        return preview(line.image)

    @admin.display(description=_("name"))
    def title(self, line: OrderLine) -> str:
        """With the selected options."""
        return name_with_options(line.name, line.selected_options)


class HistoryInline(Untouchable, TabularInline):
    """What happened, and by whom."""

    model = OrderEvent
    fields = ["happened_at", "kind", "actor_kind", "actor", "actor_name", "details"]
    ordering = ["id"]
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        """With who did it."""
        entries: QuerySet[OrderEvent] = super().get_queryset(request)
        return entries.select_related("actor")


@admin.register(Order)
class OrderAdmin(Untouchable, ModelAdmin):
    """Orders, newest first; drafts are checkouts that were not paid."""

    list_display = [
        "title", "status", "payment_status", "payment_due_at", "email", "total", "placed_at",
    ]  # fmt: skip
    list_filter = ["status", "payment_status", "placed_at", "payment_due_at"]
    search_fields = ["=number"]
    ids_matching = selectors.ids_matching
    search_help_text = _("Number, e-mail, name, city, postal code, phone or SKU.")
    date_hierarchy = "placed_at"
    list_select_related = ["customer"]
    show_full_result_count = False
    inlines = [LineInline, HistoryInline]
    actions = ["cancel", "wait_for_payment", "wait_without_deadline", "revoke_links"]
    subtotal = money_column(Order, "subtotal_amount")
    discount = money_column(Order, "discount_amount")
    shipping = money_column(Order, "shipping_amount")
    tax = money_column(Order, "tax_amount")
    total = money_column(Order, "total_amount")
    authorised = money_column(Order, "authorised_amount")
    captured = money_column(Order, "captured_amount")
    refunded = money_column(Order, "refunded_amount")
    fieldsets = [
        (
            None,
            {"fields": ["number", "status", "payment_status", "customer", "email", "placed_at"]},
        ),
        (
            _("Money"),
            {
                "fields": [
                    "subtotal", "discount", "shipping", "tax", "total", "is_tax_included",
                    "authorised", "captured", "refunded", "payment_due_at",
                ]
            },
        ),
        (_("Delivery"), {"fields": ["shipping_option", "ship_to", "bill_to"]}),
        (_("Dates"), {"fields": ["created_at", "updated_at", "cancelled_at", "completed_at"]}),
    ]  # fmt: skip

    @admin.display(description=_("shipping address"))
    def ship_to(self, order: Order) -> str:
        """As its country writes it."""
        return address_html(order.shipping_address)

    @admin.display(description=_("billing address"))
    def bill_to(self, order: Order) -> str:
        """As its country writes it; a dash where it is the shipping address."""
        return address_html(order.billing_address)

    @admin.display(description=_("order"), ordering="number")
    def title(self, order: Order) -> str:
        """Its number."""
        return str(order)

    @admin.action(description=_("Cancel, and give the money back"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: OrderQuerySet) -> None:
        """Call the chosen orders off, unless something was shipped."""
        actor, at = Actor.staff(request.user.pk), timezone.now()
        take_step(
            self, request, queryset.placed(),
            lambda each: services.cancel_order(order_id=each.pk, actor=actor, at=at),
        )  # fmt: skip

    @admin.action(description=_("Wait a week more for the payment"), permissions=["cancel"])
    def wait_for_payment(self, request: HttpRequest, queryset: OrderQuerySet) -> None:
        """Move the payment deadline of the chosen orders."""
        self._set_payment_due(request, queryset, timezone.now() + datetime.timedelta(days=7))

    @admin.action(description=_("Wait for the payment without a deadline"), permissions=["cancel"])
    def wait_without_deadline(self, request: HttpRequest, queryset: OrderQuerySet) -> None:
        """Take the payment deadline of the chosen orders away."""
        self._set_payment_due(request, queryset, None)

    def _set_payment_due(
        self, request: HttpRequest, queryset: OrderQuerySet, due_at: datetime.datetime | None
    ) -> None:
        actor, at = Actor.staff(request.user.pk), timezone.now()
        take_step(
            self, request, queryset.placed(),
            lambda each: services.set_payment_due(
                order_id=each.pk, due_at=due_at, actor=actor, at=at
            ),
        )  # fmt: skip

    @admin.action(description=_("Revoke the links in mails"), permissions=["cancel"])
    def revoke_links(self, request: HttpRequest, queryset: OrderQuerySet) -> None:
        """Whoever has the address of an order's page sees it no more."""
        actor, at = Actor.staff(request.user.pk), timezone.now()
        take_step(
            self, request, queryset.placed(),
            lambda each: services.revoke_links(order_id=each.pk, actor=actor, at=at),
        )  # fmt: skip

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change orders."""
        return request.user.has_perm("orders.change_order")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of it: an order is changed by its actions."""
        return [field for _name, options in self.fieldsets for field in options["fields"]]


@admin.register(NumberSeries)
class NumberSeriesAdmin(Untouchable, ModelAdmin):
    """The last number of each series."""

    list_display = ["name", "last"]

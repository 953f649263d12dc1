"""The sandbox's books, for people who try the shop."""

from django.contrib import admin
from unfold.admin import TabularInline

from lavka.kernel.admin import ModelAdmin, Untouchable, money_column
from lavka.payments.sandbox.models import Charge, ChargeChange, Webhook


class ChangeInline(Untouchable, TabularInline):
    """What was done to the charge."""

    model = ChargeChange
    money = money_column(ChargeChange, "amount", "charge.currency")
    fields = ["kind", "money", "is_done", "created_at"]
    readonly_fields = ["money"]
    extra = 0


@admin.register(Charge)
class ChargeAdmin(Untouchable, ModelAdmin):
    """What the shop asked for, and what became of it."""

    to_pay = money_column(Charge, "amount")
    was_captured = money_column(Charge, "captured")
    was_refunded = money_column(Charge, "refunded")
    list_display = ["id", "status", "to_pay", "was_captured", "was_refunded", "created_at"]
    list_filter = ["status"]
    search_fields = ["=id", "=key"]
    # Without what the customer paid by.
    fields = [
        "status", "reason", "wants_capture", "to_pay", "was_captured", "was_refunded", "created_at",
    ]  # fmt: skip
    readonly_fields = fields
    inlines = [ChangeInline]


@admin.register(Webhook)
class WebhookAdmin(Untouchable, ModelAdmin):
    """What the shop was told."""

    list_display = ["kind", "charge", "created_at"]
    list_select_related = ["charge"]
    ordering = ["-id"]

"""The staff's pages for quotes, for drafts on their way, and for refunds of pieces."""

from django.contrib import admin

from lavka.checkout.models import Checkout, Quote, RefundClaim
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column


@admin.register(Quote)
class QuoteAdmin(Untouchable, ModelAdmin):
    """What customers were offered."""

    total = money_column(Quote, "total_amount")
    list_display = ["id", "total", "created_at", "expires_at"]
    # Without the cart's id, which is the key to a guest's cart.
    fields = ["id", "total", "content", "created_at", "expires_at"]
    readonly_fields = fields
    search_fields = ["=id"]
    show_full_result_count = False


@admin.register(Checkout)
class CheckoutAdmin(Untouchable, ModelAdmin):
    """Drafts that somebody is paying for."""

    list_display = ["order", "started_at", "expires_at"]
    list_select_related = ["order"]
    search_fields = ["=order__id"]


@admin.register(RefundClaim)
class RefundClaimAdmin(Untouchable, ModelAdmin):
    """Which pieces were refunded, and what is still on its way."""

    money = money_column(RefundClaim, "amount", "order.currency")
    list_display = [
        "order", "return_request", "money", "state", "attempts", "claimed_at", "settled_at",
    ]  # fmt: skip
    list_filter = ["state", "claimed_at"]
    list_select_related = ["order", "return_request__order"]
    search_fields = ["=id", "=order__id", "=order__number"]
    # Without the caller's idempotency key.
    fields = [
        "order", "return_request", "quantities", "money", "state", "attempts", "claimed_at",
        "due_at", "settled_at",
    ]  # fmt: skip
    readonly_fields = fields
    show_full_result_count = False

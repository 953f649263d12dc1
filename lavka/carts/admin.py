"""The staff's pages for carts: they look, customers change."""

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from lavka.carts.models import Cart, CartLine
from lavka.kernel.admin import Untouchable, money_column


class CartLineInline(Untouchable, TabularInline):
    """What is in it."""

    model = CartLine
    price = money_column(CartLine, "unit_price_amount", "cart.currency")
    fields = ["product_name", "sku", "quantity", "price"]
    readonly_fields = fields
    extra = 0


@admin.register(Cart)
class CartAdmin(Untouchable, ModelAdmin):
    """What customers are about to buy."""

    list_display = ["id", "owner", "email", "status", "changed_at", "expires_at"]
    list_filter = ["status", "changed_at"]
    list_select_related = ["owner"]
    search_fields = ["=id", "email", "owner__email"]
    inlines = [CartLineInline]
    show_full_result_count = False

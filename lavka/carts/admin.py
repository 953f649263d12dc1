"""The staff's pages for carts: they look, customers change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.addresses.formats import address_html
from lavka.carts.models import Cart, CartLine
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column


class CartLineInline(Untouchable, TabularInline):
    """What is in it."""

    model = CartLine
    price = money_column(CartLine, "unit_price_amount", "cart.currency")
    fields = ["product_name", "sku", "quantity", "price"]
    readonly_fields = fields
    extra = 0


@admin.register(Cart)
class CartAdmin(Untouchable, ModelAdmin):
    """What customers are about to buy.

    The id of a guest's cart is the key to it, and with it to the guest's order, so only a cart
    that has an owner has a page of its own.
    """

    list_display = ["buyer", "email", "contents", "status", "changed_at", "expires_at"]
    list_display_links = None
    shows_ids = False
    list_filter = ["status", "changed_at"]
    list_select_related = ["owner"]
    search_fields = ["email", "owner__email"]
    exclude = ["merged_into", "shipping_address", "billing_address"]
    readonly_fields = ["ship_to", "bill_to"]
    inlines = [CartLineInline]
    show_full_result_count = False

    @admin.display(description=_("customer"), ordering="owner")
    def buyer(self, cart: Cart) -> str:
        """The owner, with the way to the cart's page."""
        if cart.owner is None:
            return str(_("guest"))
        page = reverse("admin:carts_cart_change", args=[cart.pk])
        return format_html('<a href="{}">{}</a>', page, cart.owner.email)

    @admin.display(description=_("shipping address"))
    def ship_to(self, cart: Cart) -> str:
        """As its country writes it."""
        return address_html(cart.shipping_address)

    @admin.display(description=_("billing address"))
    def bill_to(self, cart: Cart) -> str:
        """As its country writes it; a dash where it is the shipping address."""
        return address_html(cart.billing_address)

    @admin.display(description=_("contents"))
    def contents(self, cart: Cart) -> str:
        """Pieces and SKUs."""
        return ", ".join(map(str, cart.lines.all()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        """With what is in them."""
        carts: QuerySet[Cart] = super().get_queryset(request)
        return carts.prefetch_related("lines")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody opens a guest's cart."""
        is_guests = obj is not None and obj.owner_id is None
        return not is_guests and bool(super().has_view_permission(request, obj))

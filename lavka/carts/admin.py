"""The staff's pages for carts: they look, customers change."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.addresses.formats import address_html
from lavka.carts.models import Cart, CartLine
from lavka.catalog.admin.fields import preview
from lavka.catalog.rules import name_with_options
from lavka.catalog.selectors import Article, articles_of
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column


class CartLineFormSet(BaseInlineFormSet):
    """Lines with their cart and with what their variants show now: 1 query for all."""

    articles: dict[UUID, Article] | None = None

    def get_queryset(self) -> Any:
        """The lines; `article` is None for a variant that is no longer on sale."""
        lines = super().get_queryset()
        if self.articles is None:
            self.articles = articles_of([line.variant_id for line in lines], timezone.now())
            for line in lines:
                line.cart, line.article = self.instance, self.articles.get(line.variant_id)
        return lines


class CartLineInline(Untouchable, TabularInline):
    """What is in it."""

    model = CartLine
    formset = CartLineFormSet
    price = money_column(CartLine, "unit_price_amount", "cart.currency")
    fields = ["preview", "title", "sku", "quantity", "price"]
    readonly_fields = fields
    extra = 0

    @admin.display(description=_("preview"))
    def preview(self, line: Any) -> str:
        """The variant's picture."""
        return preview(line.article.image) if line.article else ""

    @admin.display(description=_("product"))
    def title(self, line: Any) -> str:
        """With the selected options."""
        selected = line.article.selected_options if line.article else ()
        return name_with_options(line.product_name, selected)


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

"""The staff's pages for wishes: they look, customers change."""

from django.contrib import admin
from unfold.admin import TabularInline

from lavka.kernel.admin import ModelAdmin, ReadOnly
from lavka.wishlists.models import StockAlert, Wishlist, WishlistItem


class ItemInline(ReadOnly, TabularInline):
    """What is on a list."""

    model = WishlistItem
    fields = ["variant", "added_at"]
    readonly_fields = fields
    extra = 0


@admin.register(Wishlist)
class WishlistAdmin(ReadOnly, ModelAdmin):
    """What customers wish for."""

    fields = ["owner", "name", "created_at"]
    list_display = ["name", "owner", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name__folded__contains", "owner__email"]
    inlines = [ItemInline]
    show_full_result_count = False


@admin.register(StockAlert)
class StockAlertAdmin(ReadOnly, ModelAdmin):
    """What customers wait for."""

    list_display = ["variant", "customer", "created_at"]
    list_select_related = ["variant", "customer"]
    search_fields = ["variant__sku", "customer__email"]
    show_full_result_count = False

"""Categories, brands and their past slugs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from lavka.catalog import services
from lavka.catalog.admin.pages import ShopAdmin, SlugForm
from lavka.catalog.models import Brand, Category, SlugHistory
from lavka.kernel.admin import ModelAdmin, ReadOnly

_SEO = (_("Search engines"), {"fields": ["seo_title", "seo_description"]})


class TreeOrder(ChangeList):
    """Categories in the order of the tree, whatever Django would add to make it total."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Each category before what stands inside it."""
        return ["tree_ordering"]


@admin.register(Category)
class CategoryAdmin(ShopAdmin):
    """The tree of shelves."""

    form = SlugForm
    list_display = ["indented", "slug", "position"]
    list_editable = ["position"]
    list_display_links = ["indented"]
    list_per_page = 500
    sortable_by: list[str] = []
    search_fields = ["name__folded__contains", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "parent", "position", "description"]}),
        _SEO,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        """With the depth of each."""
        tree: QuerySet[Category] = Category.objects.with_tree_fields()
        return tree

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """In the order of the tree."""
        return TreeOrder

    @admin.display(description=_("name"))
    def indented(self, category: Any) -> str:
        """The name, further to the right the deeper it stands."""
        indent = f"{category.tree_depth * 1.5}rem"
        return format_html('<span style="padding-left:{}">{}</span>', indent, category.name)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Move through the service, which keeps two moves from making a circle."""
        if change and "parent" in form.changed_data:
            services.update_category(category_id=obj.pk, parent=obj.parent)
        super().save_model(request, obj, form, change)


@admin.register(Brand)
class BrandAdmin(ShopAdmin):
    """Who makes it."""

    form = SlugForm
    list_display = ["name", "slug"]
    search_fields = ["name__folded__contains", "slug"]
    fieldsets = [(None, {"fields": ["name", "slug", "description"]}), _SEO]


@admin.register(SlugHistory)
class SlugHistoryAdmin(ReadOnly, ModelAdmin):
    """Slugs that lead on; the database writes them."""

    list_display = ["slug", "kind", "target", "changed_at"]
    list_filter = ["kind"]
    search_fields = ["slug"]
    show_full_result_count = False

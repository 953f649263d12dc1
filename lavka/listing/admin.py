"""The staff's page for synonyms, and a look at what waits to be refreshed."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from lavka.kernel.admin import Untouchable
from lavka.listing.models import StaleProduct, Synonym


@admin.register(Synonym)
class SynonymAdmin(ModelAdmin):
    """A search for either word finds both; a change counts from the next search on."""

    list_display = ["word", "other"]
    search_fields = ["word", "other"]


@admin.register(StaleProduct)
class StaleProductAdmin(Untouchable, ModelAdmin):
    """Products whose cards are about to be made anew; the list is empty at rest."""

    list_display = ["product_id", "marked_at"]
    ordering = ["marked_at"]
    show_full_result_count = False

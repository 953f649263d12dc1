"""The staff's page for synonyms, and a look at what waits to be refreshed."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lavka.kernel import security_log
from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.kernel.security_log import Object, SecurityEvent
from lavka.listing.models import StaleProduct, Synonym


@admin.register(Synonym)
class SynonymAdmin(ModelAdmin):
    """A search for either word finds both; a change counts from the next search on."""

    list_display = ["word", "other"]
    search_fields = ["word", "other"]

    def save_model(self, request: HttpRequest, obj: Synonym, form: Any, change: bool) -> None:
        """Log it."""
        super().save_model(request, obj, form, change)
        _log(SecurityEvent.SYNONYM_CHANGED if change else SecurityEvent.SYNONYM_CREATED, [obj])

    def delete_model(self, request: HttpRequest, obj: Synonym) -> None:
        """Log it."""
        _log(SecurityEvent.SYNONYM_DELETED, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Synonym]) -> None:
        """Log each."""
        _log(SecurityEvent.SYNONYM_DELETED, queryset)
        super().delete_queryset(request, queryset)


def _log(event: SecurityEvent, synonyms: Iterable[Synonym]) -> None:
    for synonym in synonyms:
        security_log.record(event, Object("synonym", synonym.pk, str(synonym)))


@admin.register(StaleProduct)
class StaleProductAdmin(Untouchable, ModelAdmin):
    """Products whose cards are about to be made anew; the list is empty at rest."""

    list_display = ["product", "marked_at"]
    fields = list_display
    readonly_fields = list_display
    ordering = ["marked_at"]
    show_full_result_count = False

    @admin.display(description=_("product"), ordering="product_id")
    def product(self, row: StaleProduct) -> str:
        """Its id: it may be gone."""
        return str(row.product_id)

"""The staff's page for requests that may be sent again."""

from django.contrib import admin

from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.web.models import IdempotentRequest


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(Untouchable, ModelAdmin):
    """Uses of an `Idempotency-Key` in the last two days; without a status they run, or broke."""

    fields = ["id", "status", "leased_until", "created_at"]
    list_display = fields
    list_filter = ["status"]
    search_fields = ["=id"]
    show_full_result_count = False

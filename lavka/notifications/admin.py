"""The staff's pages of mails."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.notifications import letters, samples
from lavka.notifications.models import SentMail


@admin.register(SentMail)
class SentMailAdmin(Untouchable, ModelAdmin):
    """What was mailed to whom, and what still waits; the shop writes these rows itself."""

    list_display = ["kind", "user", "order", "claimed_at", "sent_at", "suppressed_at"]
    list_filter = [
        "kind",
        ("sent_at", admin.EmptyFieldListFilter),
        ("suppressed_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["user", "order"]
    # A guest's address is not in the list: found whole, not by its parts.
    search_fields = ["user__email", "=order__email", "=event_id"]
    ordering = ["-id"]
    show_full_result_count = False
    actions_list = ["preview"]

    @action(  # type: ignore[untyped-decorator]
        description=_("How mails look"), url_path="preview", permissions=["view"]
    )
    def preview(self, request: HttpRequest) -> HttpResponse:
        """A mail of each kind in each language, about nobody."""
        kinds, languages = dict(SentMail.Kind.choices), dict(settings.LANGUAGES)
        kind = request.GET.get("kind", "")
        language = request.GET.get("language", "")
        kind = kind if kind in kinds else next(iter(kinds))
        language = language if language in languages else settings.LANGUAGE_CODE
        context = self.admin_site.each_context(request) | {
            "title": _("How mails look"),
            "opts": self.opts,
            "kinds": kinds,
            "languages": languages,
            "kind": kind,
            "language": language,
            "letter": letters.written(samples.sample_of(kind, language)),
        }
        return TemplateResponse(request, "notifications/preview.html", context)

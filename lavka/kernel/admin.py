"""The staff's pages for events, dead letters and drift; how money and rows nobody edits look."""

from collections.abc import Callable, Container
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import FieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model, QuerySet, UUIDField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold import admin as unfold

from lavka.kernel import catalogue, letters
from lavka.kernel.actors import Actor, email_of
from lavka.kernel.models import Bookmark, DeadLetter, DriftReport, OutboxEvent, RecordedEvent
from lavka.kernel.money import Money

MAX_SEARCH = 254


def money_column(model: type[Model], field: str, currency: str = "currency") -> Any:
    """A column that shows an amount in minor units as money; `currency` is where its code stands.

    For the currency of a related row, as in "order.currency", that row is to be loaded.
    """
    column: Any = model._meta.get_field(field)
    currency_of = attrgetter(currency)

    @admin.display(description=column.verbose_name, ordering=field)
    def shown(_: object, row: Model) -> Money:
        return Money(getattr(row, field), currency_of(row))

    return shown


class ModelAdmin(unfold.ModelAdmin):
    """A page whose list is filtered by nothing but what the page itself links to.

    Django filters a list by any column of its rows and by any part of a JSON value. Whoever may
    look at the list would read with comparisons, one bit a request, what the page leaves out.
    """

    # Whether staff may see the ids of the rows; they may not where an id is a key to something.
    shows_ids = True
    # Where the API finds rows by a text, the page does so too: `search_fields` then says no more
    # than that there is something to type in.
    ids_matching: ClassVar[Callable[[str], QuerySet[Any, Any]] | None] = None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a filter or the dates above the list link to it, or it names one row."""
        key = self.opts.pk.name
        linked = {key, f"{key}__exact"} if self.shows_ids else set()
        if self.date_hierarchy:
            linked.update(f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day"))
        return lookup in linked.union(
            *(filter_parameters(self, entry) for entry in self.get_list_filter(request))
        )

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Whether pop-ups and fields that complete what is typed may answer with this column."""
        return self.shows_ids and bool(super().to_field_allowed(request, to_field))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that a text means, and whether some may come twice."""
        text = search_term.replace("\0", "")[:MAX_SEARCH].strip()
        find = type(self).ids_matching
        if find is None or not text:
            found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, text)
            return found
        return queryset.filter(pk__in=find(text)), False


@cache
def filter_parameters(page: ModelAdmin, entry: Any) -> frozenset[str]:
    """The parameters that the links of one entry of a page's `list_filter` have."""
    if isinstance(entry, type):
        spec = entry(HttpRequest(), {}, page.model, page)
    else:
        path, make = (entry, FieldListFilter.create) if isinstance(entry, str) else entry
        field = get_fields_from_path(page.model, path)[-1]
        spec = make(field, HttpRequest(), {}, page.model, page, field_path=path)
    return frozenset(spec.expected_parameters())


class HidesReadOnlyFieldsOnAdd:
    """For forms whose read-only fields get their value when the row is stored, not before."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without them while there is no row."""
        page: Any = super()
        fields = page.get_fields(request, obj)
        if obj is not None:
            return fields
        hidden = page.get_readonly_fields(request, obj)
        return [each for each in fields if each not in hidden]


class ReadOnly:
    """For rows that the shop writes itself: staff look at them, and may delete them."""

    def has_add_permission(self, *_: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Never."""
        return False


class Untouchable(ReadOnly):
    """For rows that others lean on: staff only look at them."""

    def has_delete_permission(self, *_: Any) -> bool:
        """Never."""
        return False


class ToldByRight(Untouchable):
    """For pages of events: of what a reader may not read, the ids are shown and no more."""

    def get_object(self, request: HttpRequest, *named: Any) -> Any:
        """What a page shows; it is never saved."""
        page: Any = super()
        found = page.get_object(request, *named)
        if found is not None:
            user = request.user
            self.withhold(found, {each for each in catalogue.rights() if user.has_perm(each)})
        return found

    def withhold(self, shown: Any, held: Container[str]) -> None:
        """Leave out what needs a right that is not held."""
        shown.payload = catalogue.told(shown.name, shown.payload, held)


@admin.register(RecordedEvent)
class RecordedEventAdmin(ToldByRight, ModelAdmin):
    """The log: what happened in the shop, newest first."""

    list_display = ["position", "name", "version", "aggregate", "by", "occurred_at"]
    fields = [
        "position", "event_id", "name", "version", "aggregate", "by", "payload", "occurred_at",
        "recorded_at",
    ]  # fmt: skip
    readonly_fields = fields
    search_fields = ["=name", "=aggregate", "=event_id"]
    ordering = ["-position"]
    show_full_result_count = False

    @admin.display(description=_("by"))
    def by(self, event: RecordedEvent) -> str:
        """Who caused it."""
        actor: Actor = event.actor
        return actor.shown(getattr(event, "actor_email", None))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordedEvent]:
        """With the addresses of those who caused them."""
        events: QuerySet[RecordedEvent] = super().get_queryset(request)
        user_id = Cast(KeyTextTransform("id", "actor"), UUIDField())
        return events.annotate(actor_user=user_id).annotate(actor_email=email_of("actor_user"))


@admin.register(OutboxEvent)
class OutboxEventAdmin(ToldByRight, ModelAdmin):
    """What no worker has recorded yet; more than a few say that none runs."""

    list_display = ["name", "aggregate", "occurred_at"]
    fields = ["name", "version", "aggregate", "payload", "occurred_at"]
    ordering = ["-arrival"]


@admin.register(Bookmark)
class BookmarkAdmin(Untouchable, ModelAdmin):
    """How far the log is written, and how far the broker has it."""

    list_display = ["reader", "position"]


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, ModelAdmin):
    """Messages that no worker could deal with: replay them once the cause is gone, or delete."""

    list_display = ["task", "reason", "failures", "failed_at", "queue", "replay_at"]
    list_filter = ["reason", "task", "queue"]
    search_fields = ["=task", "=task_id"]
    ordering = ["-failed_at"]
    actions = ["replay"]

    @admin.action(description=_("Replay the selected dead letters"), permissions=["delete"])
    def replay(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        """Have a worker send them again."""
        count = letters.ask_for_replay(
            letters=queryset.values_list("pk", flat=True), at=timezone.now()
        )
        self.message_user(request, _("%(count)d will be sent again soon.") % {"count": count})


@admin.register(DriftReport)
class DriftReportAdmin(ReadOnly, ModelAdmin):
    """What the nightly reconcile found and mended."""

    list_display = ["subject", "ran_at", "checked", "drifted"]
    list_filter = ["subject"]

"""The staff's pages for money: they look, and ask the flows for changes."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.kernel.actors import Actor
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column
from lavka.kernel.errors import ShopError
from lavka.kernel.threads import run_flow
from lavka.payments import flows
from lavka.payments.gateways.registry import name_of
from lavka.payments.models import LedgerEntry, Operation, Payment, ProviderEvent
from lavka.payments.rules import PaymentStatus


class MethodFilter(admin.AllValuesFieldListFilter):
    """The payment methods there are, by what they are called."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """All, and each."""
        all_of_them, *methods = super().choices(changelist)
        yield all_of_them
        yield from ({**each, "display": name_of(str(each["display"]))} for each in methods)


class OperationInline(Untouchable, TabularInline):
    """What was asked of the provider."""

    model = Operation
    extra = 0
    money = money_column(Operation, "amount", "payment.currency")
    fields = ["kind", "money", "state", "reason", "started_at", "finished_at"]
    readonly_fields = ["money"]


class EntryInline(Untouchable, TabularInline):
    """What the ledger says."""

    model = LedgerEntry
    extra = 0
    money = money_column(LedgerEntry, "amount")
    fields = ["source", "target", "money", "entered_at"]
    readonly_fields = ["money"]


@admin.register(Payment)
class PaymentAdmin(Untouchable, ModelAdmin):
    """Every payment; the actions ask its provider."""

    to_pay = money_column(Payment, "amount")
    was_authorised = money_column(Payment, "authorised")
    was_captured = money_column(Payment, "captured")
    was_voided = money_column(Payment, "voided")
    was_refunded = money_column(Payment, "refunded")
    is_being_captured = money_column(Payment, "capturing")
    is_being_voided = money_column(Payment, "voiding")
    is_being_refunded = money_column(Payment, "refunding")
    list_display = [
        "order", "paid_by", "status", "to_pay", "was_captured", "was_refunded", "created_at",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["order", "paid_by", "status", "reason", "reference"]}),
        (
            _("Money"),
            {
                "fields": [
                    "to_pay", "was_authorised", "is_being_captured", "was_captured",
                    "is_being_voided", "was_voided", "is_being_refunded", "was_refunded",
                ]
            },
        ),
        (_("Dates"), {"fields": ["created_at", "updated_at", "abandoned_at"]}),
    ]  # fmt: skip
    readonly_fields = ["paid_by"]
    list_filter = ["status", ("method", MethodFilter), "created_at"]
    list_select_related = ["order"]
    search_fields = ["=id", "=order__id", "=order__number", "=reference"]
    inlines = [OperationInline, EntryInline]
    actions = ["capture", "void", "refund"]
    show_full_result_count = False

    @admin.display(description=_("method"), ordering="method")
    def paid_by(self, payment: Payment) -> str:
        """What the method is called."""
        return name_of(payment.method)

    @admin.action(description=_("Capture what is left"), permissions=["capture"])
    def capture(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Take all that is authorised."""
        self._ask(request, queryset, "capture")

    @admin.action(description=_("Void what is not captured"), permissions=["void"])
    def void(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Give the authorisations up."""
        self._ask(request, queryset, "void")

    @admin.action(description=_("Refund what is left"), permissions=["refund"])
    def refund(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Give all captured money back."""
        self._ask(request, queryset, "refund")

    def has_capture_permission(self, request: HttpRequest) -> bool:
        """Who may change payments; nobody edits them by hand."""
        return request.user.has_perm("payments.change_payment")

    has_void_permission = has_refund_permission = has_capture_permission

    def _ask(self, request: HttpRequest, payments: QuerySet[Payment], change: str) -> None:
        actor = Actor.staff(request.user.pk)
        for payment in payments:
            try:
                outcome = run_flow(_changed(payment, change, actor))
            except ShopError as refused:
                self.message_user(request, f"{payment.pk}: {refused.detail}", messages.ERROR)
                continue
            is_declined = outcome.status == "declined"
            state = _("declined") if is_declined else PaymentStatus(outcome.status).label
            note = f"{payment.pk}: {state} {outcome.reason}"
            self.message_user(request, note, messages.ERROR if is_declined else messages.SUCCESS)


async def _changed(payment: Payment, change: str, actor: Actor) -> flows.Outcome:
    match change:
        case "capture":
            return await flows.capture(payment_id=payment.pk, actor=actor)
        case "void":
            return await flows.void(payment_id=payment.pk, actor=actor)
        case _:
            return await flows.refund(payment_id=payment.pk, key=f"admin {uuid4()}", actor=actor)


@admin.register(Operation)
class OperationAdmin(Untouchable, ModelAdmin):
    """What providers were asked, the unfinished among it."""

    money = money_column(Operation, "amount", "payment.currency")
    list_display = ["payment", "kind", "money", "state", "reason", "started_at"]
    list_filter = ["state", "kind", "started_at"]
    list_select_related = ["payment"]
    search_fields = ["=id", "=payment__id", "=reference"]
    # Without the caller's idempotency key.
    fields = [
        "payment", "kind", "money", "state", "reference", "reason", "started_at", "looked_up_at",
        "finished_at",
    ]  # fmt: skip
    readonly_fields = fields
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(ProviderEvent)
class ProviderEventAdmin(Untouchable, ModelAdmin):
    """Webhooks as they came in."""

    list_display = ["sent_by", "kind", "reference", "received_at", "processed_at"]
    list_filter = [("method", MethodFilter), ("processed_at", admin.EmptyFieldListFilter)]
    search_fields = ["=event_id", "=reference"]
    # Without the payload: providers put secrets of customers into it.
    fields = ["sent_by", "event_id", "kind", "reference", "received_at", "processed_at"]
    readonly_fields = ["sent_by"]
    show_full_result_count = False

    @admin.display(description=_("method"), ordering="method")
    def sent_by(self, event: ProviderEvent) -> str:
        """What the provider's method is called."""
        return name_of(event.method)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Untouchable, ModelAdmin):
    """Where the money went; nothing here is ever changed."""

    money = money_column(LedgerEntry, "amount")
    list_display = ["entered_at", "source", "target", "money", "order", "payment"]
    list_filter = ["source", "target", "currency", "entered_at"]
    list_select_related = ["order", "payment"]
    search_fields = ["=order__id", "=order__number", "=payment__id"]
    show_full_result_count = False

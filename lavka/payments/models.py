"""Payments, what providers were asked to do, what they told, and the ledger of the money."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.kernel.actors import UNKNOWN, ActorField
from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.payments.rules import (
    UNDECIDED,
    UNFINISHED,
    Account,
    Amounts,
    OperationKind,
    OperationState,
    PaymentStatus,
)

# Of what providers say.
MAX_REFERENCE, MAX_REASON, MAX_EVENT_KIND = 255, 100, 100


MAX_RETURN_URL = 1000


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments, by what is to be done about them."""

    def undecided(self) -> Self:
        """Those whose provider or customer has not said yes or no."""
        return self.filter(status__in=UNDECIDED)

    def locked(self) -> Self:
        """The same payments, each held until the caller's transaction ends."""
        return self.select_for_update(of=("self",), no_key=True)

    def to_give_back(self) -> Self:
        """Abandoned ones that hold money, or may come to."""
        return self.filter(abandoned_at__isnull=False).filter(
            Q(status__in=UNDECIDED) | Q(authorised__gt=F("voided") + F("refunded"))
        )


class Payment(models.Model):
    """One attempt to pay an order, by one method; amounts are in minor units of `currency`.

    What is being captured, voided or refunded is claimed before the provider is asked, so that
    two requests cannot claim the same money.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="payments", verbose_name=_("order")
    )
    method = models.CharField(_("method"), max_length=50)
    key = models.CharField(_("idempotency key"), max_length=400, unique=True)
    token = models.CharField(_("token"), max_length=255, blank=True)
    return_url = models.CharField(
        _("return address"), max_length=MAX_RETURN_URL, blank=True, db_default=""
    )
    status = models.CharField(
        _("status"), max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    amount = models.PositiveBigIntegerField(_("amount"))
    authorised = models.PositiveBigIntegerField(_("authorised"), default=0)
    capturing = models.PositiveBigIntegerField(_("being captured"), default=0)
    captured = models.PositiveBigIntegerField(_("captured"), default=0)
    voiding = models.PositiveBigIntegerField(_("being voided"), default=0)
    voided = models.PositiveBigIntegerField(_("voided"), default=0)
    refunding = models.PositiveBigIntegerField(_("being refunded"), default=0)
    refunded = models.PositiveBigIntegerField(_("refunded"), default=0)
    reference = models.CharField(_("provider's reference"), max_length=MAX_REFERENCE, blank=True)
    action: Any = models.JSONField(_("action"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=MAX_REASON, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    abandoned_at = models.DateTimeField(
        _("abandoned at"), null=True, blank=True,
        help_text=_("Since then nobody waits for it: what it holds goes back."),
    )  # fmt: skip
    abandoned_by = ActorField(_("abandoned by"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["method", "reference"], name="payment_reference"),
            models.Index(fields=["updated_at"], name="payment_updated_at"),
            models.Index(
                fields=["abandoned_at"],
                name="payment_abandoned",
                condition=Q(abandoned_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                name="payment_one_undecided_per_order",
                condition=Q(status__in=UNDECIDED, abandoned_at=None),
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(authorised__lte=F("amount")), name="payment_authorised_within_amount"
            ),
            models.CheckConstraint(
                condition=Q(
                    authorised__gte=F("captured") + F("capturing") + F("voided") + F("voiding")
                ),
                name="payment_captured_within_authorised",
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=F("refunded") + F("refunding")),
                name="payment_refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*UNDECIDED, "failed"], authorised=0)
                | Q(status="voided", captured=0)
                | Q(status="authorised", authorised__gt=0, captured=0)
                | Q(status="captured", captured__gt=0, refunded=0)
                | Q(status="partially_refunded", refunded__gt=0, refunded__lt=F("captured"))
                | Q(status="refunded", refunded__gt=0, refunded=F("captured")),
                name="payment_status_fits_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money(self.amount)}, {self.get_status_display()}"

    def money(self, amount: int) -> Money:
        """An amount in the payment's currency."""
        return Money(amount, self.currency)

    @property
    def amounts(self) -> Amounts:
        """The sums, for the rules."""
        return Amounts(
            authorised=self.authorised,
            capturing=self.capturing,
            captured=self.captured,
            voiding=self.voiding,
            voided=self.voided,
            refunding=self.refunding,
            refunded=self.refunded,
        )


class OperationQuerySet(models.QuerySet["Operation"]):
    """Operations, by whether their end is known."""

    def unfinished(self) -> Self:
        """Those whose answer is not recorded, or was that another one will follow."""
        return self.filter(state__in=UNFINISHED)


class Operation(models.Model):
    """One request to a provider, written down before it is sent; its id is the key it carries.

    `fingerprint` is a digest of what the caller asked for under their key, of which this may be a
    part; it is empty in operations of before there was one. Whoever asked for it is named by what
    follows, however late that is known.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="operations", verbose_name=_("payment")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=OperationKind)
    key = models.CharField(_("caller's key"), max_length=300)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True, db_default="")
    amount = models.PositiveBigIntegerField(_("amount"))
    state = models.CharField(
        _("state"), max_length=10, choices=OperationState, default=OperationState.STARTED
    )
    reference = models.CharField(_("provider's reference"), max_length=MAX_REFERENCE, blank=True)
    reason = models.CharField(_("reason"), max_length=MAX_REASON, blank=True)
    asked_by = ActorField(_("by"), db_default=UNKNOWN)
    started_at = models.DateTimeField(_("started at"))
    looked_up_at = models.DateTimeField(_("looked up at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["started_at"],
                name="operation_unfinished",
                condition=Q(state__in=UNFINISHED),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "kind", "key"],
                name="operation_once_per_key",
                condition=~Q(state="failed"),
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="operation_amount_positive"),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, finished_at=None)
                | (~Q(state__in=UNFINISHED) & Q(finished_at__isnull=False)),
                name="operation_finished_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}: {self.get_state_display()}"

    @property
    def is_finished(self) -> bool:
        """Whether its outcome is recorded."""
        return self.state not in UNFINISHED


class ProviderEvent(models.Model):
    """A webhook as it came in; the same one a second time is not stored again."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    method = models.CharField(_("method"), max_length=50)
    event_id = models.CharField(_("provider's id"), max_length=MAX_REFERENCE)
    kind = models.CharField(_("kind"), max_length=MAX_EVENT_KIND)
    reference = models.CharField(_("provider's reference"), max_length=MAX_REFERENCE, blank=True)
    key = models.UUIDField(_("operation"), null=True, blank=True)
    payload = models.TextField(_("payload"))
    received_at = models.DateTimeField(_("received at"))
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook of a provider")
        verbose_name_plural = _("webhooks of providers")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="provider_event_waiting",
                condition=Q(processed_at=None),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["method", "event_id"], name="provider_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class LedgerEntry(models.Model):
    """`amount` minor units moved from one account to another: it cannot be out of balance.

    Nothing is ever changed or deleted, by a trigger; a mistake is put right by a new entry.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="ledger_entries", verbose_name=_("order")
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="entries",
        verbose_name=_("payment"),
    )  # fmt: skip
    key = models.CharField(_("key"), max_length=200, unique=True)
    source = models.CharField(_("from"), max_length=20, choices=Account)
    target = models.CharField(_("to"), max_length=20, choices=Account)
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    entered_at = models.DateTimeField(_("entered at"))

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        indexes = [models.Index(fields=["entered_at"], name="ledger_entered_at")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_amount_positive"),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="ledger_between_two_accounts"
            ),
        ]

    def __str__(self) -> str:
        source, target = self.get_source_display(), self.get_target_display()
        return f"{source} → {target}: {Money(self.amount, self.currency)}"

"""Quotes, drafts on their way to an order, and money on its way back."""

from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.kernel.actors import UNKNOWN, ActorField
from lavka.kernel.idempotency import fingerprint_of
from lavka.kernel.money import Money


class Quote(models.Model):
    """What a cart came to at one instant: never changed, and bound by the hash of its content.

    It is good as long as nothing has moved. Its stock is held until `stock_held_until`, that of a
    guest only from the payment on.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    cart_id = models.UUIDField(_("cart"), db_index=True)
    content: Any = models.JSONField(_("content"))
    digest = models.CharField(_("hash"), max_length=64)
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    total_amount = models.BigIntegerField(_("total"))
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    stock_held_until = models.DateTimeField(_("stock held until"), null=True)

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ["-id"]
        indexes = [models.Index(fields=["expires_at"], name="quote_expires_at")]
        constraints = [
            models.CheckConstraint(condition=Q(total_amount__gte=0), name="quote_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{Money(self.total_amount, self.currency)}"


class Checkout(models.Model):
    """A draft that somebody is paying for; past its deadline it is completed or given up."""

    order = models.OneToOneField(
        "orders.Order", models.CASCADE, primary_key=True, related_name="checkout",
        verbose_name=_("order"),
    )  # fmt: skip
    digest = models.CharField(_("hash"), max_length=64)
    started_at = models.DateTimeField(_("started at"))
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("checkout")
        verbose_name_plural = _("checkouts")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["expires_at"], name="checkout_expires_at")]

    def __str__(self) -> str:
        return str(self.order_id)


class UnpaidOrder(models.Model):
    """An order that is placed without money, and whose budget it counts against.

    `mailbox` is a digest of whom it was ordered for, whatever the spelling. `is_trusted` says that
    a customer ordered it who has proved that the mailbox is theirs. The row goes when the order is
    paid, sent or cancelled; a stranger's that was cancelled stays for a day.
    """

    order = models.OneToOneField(
        "orders.Order", models.CASCADE, primary_key=True, related_name="unpaid",
        verbose_name=_("order"),
    )  # fmt: skip
    mailbox = models.CharField(_("mailbox"), max_length=32)
    address = models.CharField(_("network address"), max_length=64, blank=True)
    is_trusted = models.BooleanField(_("trusted"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("unpaid order")
        verbose_name_plural = _("unpaid orders")
        indexes = [
            models.Index(fields=["mailbox"], name="unpaid_order_mailbox"),
            models.Index(fields=["address", "created_at"], name="unpaid_order_address"),
        ]

    def __str__(self) -> str:
        return str(self.order_id)


class RefundClaimQuerySet(models.QuerySet["RefundClaim"]):
    """Claims, by whether they still count."""

    def standing(self) -> Self:
        """Those whose money went or is to go."""
        return self.exclude(state=RefundClaim.State.RELEASED)


class RefundClaim(models.Model):
    """Pieces of an order that count as refunded, and whether their money went.

    `quantities` maps order line ids to pieces. `key` is that of the refunds which pay it out; past
    `due_at` whoever claimed it is gone, or was refused, and the sweeper goes on.
    """

    class State(models.TextChoices):
        """CLAIMED ends as PAID, or as RELEASED when the provider will not."""

        CLAIMED = "claimed", pgettext_lazy("of a refund", "under way")
        PAID = "paid", pgettext_lazy("of a refund", "paid")
        RELEASED = "released", pgettext_lazy("of a refund", "refused")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="refund_claims", verbose_name=_("order")
    )
    return_request = models.ForeignKey(
        "fulfilment.ReturnRequest", models.PROTECT, null=True, blank=True,
        related_name="refund_claims", verbose_name=_("return"),
    )  # fmt: skip
    key = models.CharField(_("key"), max_length=300)
    quantities: Any = models.JSONField(_("pieces"))
    amount = models.PositiveBigIntegerField(_("amount"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CLAIMED)
    attempts = models.PositiveIntegerField(_("further attempts"), default=0)
    claimed_by = ActorField(_("by"), db_default=UNKNOWN)
    claimed_at = models.DateTimeField(_("claimed at"))
    due_at = models.DateTimeField(_("due at"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = RefundClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund of pieces")
        verbose_name_plural = _("refunds of pieces")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], name="refund_claim_due", condition=Q(state="claimed")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "key"],
                name="refund_claim_once_per_key",
                condition=~Q(state="released"),
            ),
            models.UniqueConstraint(
                fields=["return_request"],
                name="refund_claim_once_per_return",
                condition=~Q(state="released"),
            ),
            models.CheckConstraint(
                condition=Q(state="claimed", settled_at=None)
                | (~Q(state="claimed") & Q(settled_at__isnull=False)),
                name="refund_claim_settled_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount}"

    @property
    def fingerprint(self) -> str:
        """What its key means, for whoever sends the key again."""
        return fingerprint_of({"lines": self.quantities})

    @property
    def pieces(self) -> dict[UUID, int]:
        """Order line id → pieces."""
        return {UUID(line_id): pieces for line_id, pieces in self.quantities.items()}

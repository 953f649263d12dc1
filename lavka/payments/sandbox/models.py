"""The sandbox's books: charges, what was done to them, and what it told the shop."""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.kernel.money import Money


class Charge(models.Model):
    """One request for money.

    `page_key` opens the page on which the customer confirms it: a secret of theirs.
    """

    class Status(models.TextChoices):
        """What became of the request; the amounts tell the rest."""

        WAITS_FOR_CUSTOMER = "waits_for_customer", _("waits for the customer")
        PROCESSING = "processing", _("processing")
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(_("key"), unique=True)
    page_key = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    token = models.CharField(_("token"), max_length=255)
    return_url = models.CharField(_("return address"), max_length=1000, blank=True, db_default="")
    status = models.CharField(_("status"), max_length=20, choices=Status)
    reason = models.CharField(_("reason"), max_length=50, blank=True)
    wants_capture = models.BooleanField(_("is captured at once"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.PositiveBigIntegerField(_("amount"))
    captured = models.PositiveBigIntegerField(_("captured"), default=0)
    voided = models.PositiveBigIntegerField(_("voided"), default=0)
    refunded = models.PositiveBigIntegerField(_("refunded"), default=0)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="sandbox_charge_created_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(captured__lte=F("amount") - F("voided")),
                name="sandbox_captured_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(refunded__lte=F("captured")),
                name="sandbox_refunded_within_captured",
            ),
        ]

    def __str__(self) -> str:
        return f"{Money(self.amount, self.currency)} ({self.get_status_display()})"


class ChargeChange(models.Model):
    """A capture, void or refund that the shop asked for; a key that comes again acts once."""

    class Kind(models.TextChoices):
        """What was asked."""

        CAPTURE = "capture", _("capture")
        VOID = "void", _("void")
        REFUND = "refund", _("refund")

    key = models.UUIDField(_("key"), primary_key=True)
    charge = models.ForeignKey(
        Charge, models.CASCADE, related_name="changes", verbose_name=_("charge")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount = models.PositiveBigIntegerField(_("amount"))
    is_done = models.BooleanField(_("done"))
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("change of a charge")
        verbose_name_plural = _("changes of charges")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class Webhook(models.Model):
    """What the sandbox has to tell the shop; an event carries it there, signed."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    charge = models.ForeignKey(
        Charge, models.CASCADE, related_name="webhooks", verbose_name=_("charge")
    )
    kind = models.CharField(_("kind"), max_length=40)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.kind

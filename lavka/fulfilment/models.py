"""Shipments and returns, each with the pieces of order lines that it carries."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.fulfilment.rules import ReturnReason, ReturnStatus, ShipmentStatus


class Shipment(models.Model):
    """One parcel of an order."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="shipments", verbose_name=_("order")
    )
    status = models.CharField(
        _("status"), max_length=10, choices=ShipmentStatus, default=ShipmentStatus.SENT
    )
    carrier = models.CharField(_("carrier"), max_length=100, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=100, blank=True)
    tracking_url = models.URLField(_("tracking page"), max_length=500, blank=True)
    sent_at = models.DateTimeField(_("sent at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["-id"]
        indexes = [models.Index(fields=["tracking_number"], name="shipment_tracking_number")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="sent", delivered_at=None)
                | Q(status="delivered", delivered_at__isnull=False),
                name="shipment_delivered_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return self.tracking_number or str(self.pk)


class ShipmentLine(models.Model):
    """How many pieces of an order line are in a parcel."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    shipment = models.ForeignKey(
        Shipment, models.CASCADE, related_name="lines", verbose_name=_("shipment")
    )
    order_line = models.ForeignKey(
        "orders.OrderLine", models.PROTECT, related_name="+", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "order_line"], name="shipment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="shipment_line_has_pieces"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line_id}"


class ReturnRequest(models.Model):
    """What a customer wants to send back; the money follows when the goods have come."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="returns", verbose_name=_("order")
    )
    status = models.CharField(
        _("status"), max_length=10, choices=ReturnStatus, default=ReturnStatus.REQUESTED
    )
    reason = models.CharField(_("reason"), max_length=20, choices=ReturnReason)
    comment = models.TextField(_("comment"), max_length=2000, blank=True)
    is_restocked = models.BooleanField(_("back on the shelf"), null=True, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), db_default=Now(), auto_now=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "-id"], name="return_status")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="requested", decided_at=None)
                | (~Q(status="requested") & Q(decided_at__isnull=False)),
                name="return_decision_has_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["received", "refunded"],
                    received_at__isnull=False,
                    is_restocked__isnull=False,
                )
                | (
                    ~Q(status__in=["received", "refunded"]) & Q(received_at=None, is_restocked=None)
                ),
                name="return_received_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} ← {self.get_status_display()}"


class ReturnLine(models.Model):
    """How many pieces of an order line come back."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    return_request = models.ForeignKey(
        ReturnRequest, models.CASCADE, related_name="lines", verbose_name=_("return")
    )
    order_line = models.ForeignKey(
        "orders.OrderLine", models.PROTECT, related_name="+", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("return line")
        verbose_name_plural = _("return lines")
        constraints = [
            models.UniqueConstraint(
                fields=["return_request", "order_line"], name="return_line_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="return_line_has_pieces"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line_id}"

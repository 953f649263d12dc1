"""Carts and their lines."""

import datetime
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

MAX_LINES, MAX_QUANTITY = 100, 999


class CartQuerySet(models.QuerySet["Cart"]):
    """Carts, by who may reach them."""

    def reachable(self, caller_id: uuid.UUID | None, at: datetime.datetime) -> Self:
        """Live carts that nobody owns, whose id is their key, and the caller's own."""
        return self.filter(Q(owner=None) | Q(owner=caller_id), expires_at__gt=at)

    def locked(self) -> Self:
        """The same carts, each held until the caller's transaction ends."""
        return self.select_for_update(of=("self",), no_key=True)


class Cart(models.Model):
    """What somebody is about to buy; its id is random, since it is the key to an unowned cart.

    Addresses have the keys of an `Address` without its defaults.
    """

    class Status(models.TextChoices):
        """Only an open cart changes."""

        OPEN = "open", _("open")
        ORDERED = "ordered", _("ordered")
        MERGED = "merged", _("merged into another")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="carts",
        verbose_name=_("owner"),
    )  # fmt: skip
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("merged into"),
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    email = models.EmailField(_("e-mail"), blank=True)
    vat_number = models.CharField(
        _("VAT number"), max_length=20, blank=True, default="", db_default=""
    )
    shipping_address = models.JSONField(_("shipping address"), null=True, blank=True)
    billing_address = models.JSONField(_("billing address"), null=True, blank=True)
    shipping_option_id = models.CharField(_("shipping option"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("changed at"))
    expires_at = models.DateTimeField(_("expires at"))

    objects = CartQuerySet.as_manager()

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        ordering = ["-changed_at"]
        indexes = [
            models.Index(
                fields=["owner", "-changed_at"], name="cart_current", condition=Q(status="open")
            ),
            models.Index(fields=["expires_at"], name="cart_expires_at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into=None)),
                name="cart_merged_has_target",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CartLine(models.Model):
    """Pieces of one variant, and what was told of it when the line was last changed.

    `variant_id` may lead nowhere: a line outlives its product, so that the customer is told.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines", verbose_name=_("cart"))
    variant_id = models.UUIDField(_("variant"))
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    sku = models.CharField(_("SKU"), max_length=100)
    product_slug = models.CharField(_("slug"), max_length=200)
    product_name = models.CharField(_("product"), max_length=250)
    unit_price_amount = models.BigIntegerField(_("price"), help_text=_("In minor units (cents)."))

    class Meta:
        verbose_name = _("cart line")
        verbose_name_plural = _("cart lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant_id"], name="cart_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
                name="cart_line_has_pieces",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

"""Wishlists, what is on them, and who waits for what."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

MAX_LISTS, MAX_ITEMS, MAX_ALERTS = 20, 100, 100


class Wishlist(models.Model):
    """What a customer wishes for; whoever has `share_key` sees it while it is shared."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="wishlists",
        verbose_name=_("owner"),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=100)
    share_key = models.UUIDField(_("key of the link"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("wishlist")
        verbose_name_plural = _("wishlists")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["share_key"], name="wishlist_share_key_once"),
        ]

    def __str__(self) -> str:
        return self.name


class WishlistItem(models.Model):
    """One variant on one list."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    wishlist = models.ForeignKey(
        Wishlist, models.CASCADE, related_name="items", verbose_name=_("wishlist")
    )
    variant = models.ForeignKey(
        "catalog.Variant", models.CASCADE, related_name="+", verbose_name=_("variant")
    )
    added_at = models.DateTimeField(_("added at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wishlist", "variant"], name="wish_once_per_list"),
        ]

    def __str__(self) -> str:
        return str(self.variant_id)


class StockAlert(models.Model):
    """A customer waits for a variant; the row goes when they are told that it is back."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="stock_alerts",
        verbose_name=_("customer"),
    )  # fmt: skip
    variant = models.ForeignKey(
        "catalog.Variant", models.CASCADE, related_name="+", verbose_name=_("variant")
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("back-in-stock alert")
        verbose_name_plural = _("back-in-stock alerts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "variant"], name="stock_alert_once_per_customer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} ← {self.variant_id}"

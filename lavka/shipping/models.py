"""What sending costs."""

from django.db import models
from django.db.models import Q
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.kernel.conf import options
from lavka.kernel.money import Money


class ShippingRate(models.Model):
    """One way to send a purchase to a country, at a flat price."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        help_text=_("ISO 3166-1 alpha-2; empty for every country that has no rate of its own."),
    )
    name = models.CharField(_("name"), max_length=100)
    delivery = models.CharField(
        _("delivery time"), max_length=100, blank=True, help_text=_("Such as: 2–4 days")
    )
    price_amount = models.BigIntegerField(_("price"), help_text=_("In minor units (cents)."))
    free_from_amount = models.BigIntegerField(
        _("free from"), null=True, blank=True, help_text=_("In minor units (cents).")
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("shipping rate")
        verbose_name_plural = _("shipping rates")
        ordering = ["country", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["country", "name"], name="shipping_rate_name_once"),
            models.CheckConstraint(
                condition=Q(country__regex=r"^([A-Z]{2})?$"),
                name="shipping_rate_country_is_alpha2",
            ),
            models.CheckConstraint(
                condition=Q(price_amount__gte=0)
                & (Q(free_from_amount=None) | Q(free_from_amount__gte=0)),
                name="shipping_rate_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country or '*'} {self.name}"

    @property
    def price(self) -> Money:
        """What it costs, in the shop's currency."""
        return Money(self.price_amount, options.currency)

    @property
    def free_from(self) -> Money | None:
        """The subtotal from which it costs nothing."""
        if self.free_from_amount is None:
            return None
        return Money(self.free_from_amount, options.currency)

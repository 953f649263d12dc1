"""Tax rates, each with the days it holds."""

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.tax.rules import MAX_REASON


class TaxRate(models.Model):
    """What a country takes of sales to it; no two rates of one country hold on the same day.

    The database says so with a temporal constraint over `valid`.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    country = models.CharField(_("country"), max_length=2, help_text=_("ISO 3166-1 alpha-2"))
    percent = models.DecimalField(_("percent"), max_digits=6, decimal_places=3)
    reason = models.CharField(
        _("reason for 0 %"), max_length=MAX_REASON, blank=True, default="", db_default="",
        help_text=_("Why nothing is taken, as invoices say it: the law that exempts, an export."),
    )  # fmt: skip
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(
        _("valid until"), null=True, blank=True, help_text=_("The first day it no longer holds.")
    )
    valid = models.GeneratedField(
        expression=Func(F("valid_from"), F("valid_until"), function="daterange"),
        output_field=DateRangeField(),
        db_persist=True,
        editable=False,
    )

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["country", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="tax_rate_country_is_alpha2"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100), name="tax_rate_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(reason="") | Q(percent=0),
                name="tax_rate_reason_is_for_no_tax",
                violation_error_message=_("Only a rate of zero has a reason."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="tax_rate_days_are_forward",
                violation_error_message=_("The last day comes before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.percent.normalize():f} %"

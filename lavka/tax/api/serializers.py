"""Tax rates on the wire."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.addresses.api.serializers import CountryField
from lavka.tax.models import TaxRate
from lavka.tax.rules import MAX_REASON
from lavka.web.serializers import Input, StrictCharField

REASON = _("Why a rate of 0 % takes nothing, as invoices say it; empty for another rate.")


class TaxRateInput(Input):
    """A rate."""

    country = CountryField()
    percent = serializers.DecimalField(
        max_digits=6, decimal_places=3, min_value=Decimal(0), max_value=Decimal(100)
    )
    reason = StrictCharField(
        max_length=MAX_REASON, allow_blank=True, required=False, help_text=REASON
    )
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(
        allow_null=True, required=False, help_text=_("The first day it no longer holds.")
    )


class TaxRateOutput(Serializer):
    """A rate."""

    id = serializers.UUIDField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2")
    percent = serializers.CharField(help_text=_("A decimal number, such as 8.875."))
    reason = serializers.CharField(help_text=REASON)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(
        allow_null=True, help_text=_("The first day it no longer holds.")
    )


def rate_json(rate: TaxRate) -> dict[str, Any]:
    """`TaxRateOutput`."""
    return {
        "id": rate.pk,
        "country": rate.country,
        "percent": f"{rate.percent.normalize():f}",
        "reason": rate.reason,
        "valid_from": rate.valid_from,
        "valid_until": rate.valid_until,
    }

"""Shipping rates on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_countries.data import COUNTRIES
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.catalog.api.serializers import MAX_POSITION, MoneyInput
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.shipping.models import ShippingRate
from lavka.web.serializers import Input, MoneyOutput, StrictCharField, StrictIntegerField

COUNTRY = _("ISO 3166-1 alpha-2; empty for every country that has no rate of its own.")


class OwnMoneyInput(MoneyInput):
    """Whole minor units, in the shop's currency."""

    default_error_messages = {"currency": _("The shop's currency is expected.")}

    def to_internal_value(self, data: Any) -> Money:
        """Raises ValidationError for another currency."""
        money: Money = super().to_internal_value(data)
        if money.currency != options.currency:
            message = str(self.error_messages["currency"])
            raise serializers.ValidationError({"currency": [message]}, code="currency")
        return money


class ShippingRateInput(Input):
    """A rate."""

    country = serializers.ChoiceField(choices=["", *sorted(COUNTRIES)], help_text=COUNTRY)
    name = StrictCharField(max_length=100)
    delivery = StrictCharField(max_length=100, allow_blank=True, default="")
    price = OwnMoneyInput()
    free_from = OwnMoneyInput(allow_null=True, default=None)
    position = StrictIntegerField(min_value=0, max_value=MAX_POSITION, default=0)


class ShippingRateOutput(Serializer):
    """A rate."""

    id = serializers.UUIDField()
    country = serializers.CharField(help_text=COUNTRY)
    name = serializers.CharField()
    delivery = serializers.CharField()
    price = MoneyOutput()
    free_from = MoneyOutput(
        allow_null=True, help_text=_("The subtotal from which it costs nothing.")
    )
    position = serializers.IntegerField()


def rate_json(rate: ShippingRate) -> dict[str, Any]:
    """`ShippingRateOutput`."""
    return {
        "id": rate.pk,
        "country": rate.country,
        "name": rate.name,
        "delivery": rate.delivery,
        "price": rate.price.as_json(),
        "free_from": rate.free_from.as_json() if rate.free_from else None,
        "position": rate.position,
    }

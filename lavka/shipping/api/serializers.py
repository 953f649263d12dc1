"""Shipping rates on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.addresses.api.serializers import CountryField
from lavka.catalog.api.serializers import MAX_POSITION, PriceInput
from lavka.shipping.models import ShippingRate
from lavka.web.serializers import (
    Input,
    MoneyInput,
    MoneyOutput,
    StrictCharField,
    StrictIntegerField,
)

COUNTRY = _("ISO 3166-1 alpha-2; empty for every country that has no rate of its own.")


class ShippingRateInput(Input):
    """A rate."""

    country = CountryField(also=("",), help_text=COUNTRY)
    name = StrictCharField(max_length=100)
    delivery = StrictCharField(max_length=100, allow_blank=True, default="")
    price = PriceInput()
    free_from = MoneyInput(allow_null=True, default=None)
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

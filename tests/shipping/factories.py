"""Shipping rates for tests."""

from typing import Any

from lavka.shipping.models import ShippingRate


def make_shipping_rate(country: str = "", **overrides: Any) -> ShippingRate:
    fields = {"name": "Parcel", "delivery": "2–4 days", "price_amount": 500} | overrides
    return ShippingRate.objects.create(country=country, **fields)

"""How shipping rates are read."""

from django.db.models import FETCH_RAISE, QuerySet

from lavka.shipping.models import ShippingRate


def rates() -> QuerySet[ShippingRate]:
    """Every rate: 1 query."""
    return ShippingRate.objects.all().fetch_mode(FETCH_RAISE)


def rates_to(country: str) -> list[ShippingRate]:
    """The country's rates in their order, or those of the rest of the world: 1 query."""
    found = list(rates().filter(country__in=[country, ""]).order_by("position", "name"))
    own = [rate for rate in found if rate.country]
    return own or found

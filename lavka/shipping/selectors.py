"""How shipping rates are read."""

from django.db.models import FETCH_RAISE, QuerySet

from lavka.kernel import database, rows
from lavka.shipping.models import ShippingRate


def rates() -> QuerySet[ShippingRate]:
    """Every rate: 1 query."""
    return ShippingRate.objects.all().fetch_mode(FETCH_RAISE)


@rows.Compiled
def _rates_to(countries: list[str]) -> QuerySet[ShippingRate]:
    return (
        rates()
        .filter(rows.one_of("country", countries, kind="varchar"))
        .order_by("position", "name")
    )


def rates_to(country: str) -> list[ShippingRate]:
    """The country's rates in their order, or those of the rest of the world: 1 query."""
    found = _rates_to.all([country, ""])
    own = [rate for rate in found if rate.country]
    return own or found


async def countries_served() -> frozenset[str]:
    """Countries with a rate, and "" when every other country has one too: 1 query."""
    found = await database.fetch_all(
        "SELECT DISTINCT country FROM shipping_shippingrate", is_short=True
    )
    return frozenset(row[0] for row in found)

"""How tax rates are read."""

import datetime
from decimal import Decimal

from django.db.models import FETCH_RAISE, QuerySet

from lavka.kernel import rows
from lavka.tax.models import TaxRate


def rates() -> QuerySet[TaxRate]:
    """Every rate: 1 query."""
    return TaxRate.objects.all().fetch_mode(FETCH_RAISE)


# No two rates of a country hold on the same day.
_RATE = "SELECT percent, reason FROM tax_taxrate WHERE country = %s AND valid @> %s::date"


def rate_on(country: str, day: datetime.date) -> tuple[Decimal, str]:
    """The country's percentage on a day and its reason; 0 where no rate holds: 1 query."""
    row = rows.fetch_one(_RATE, [country, day])
    return (row[0], row[1]) if row else (Decimal(0), "")

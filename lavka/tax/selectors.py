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
_PERCENT = "SELECT percent FROM tax_taxrate WHERE country = %s AND valid @> %s::date"


def percent_on(country: str, day: datetime.date) -> Decimal:
    """The country's rate on a day, 0 where none holds: 1 query."""
    row = rows.fetch_one(_PERCENT, [country, day])
    return row[0] if row else Decimal(0)

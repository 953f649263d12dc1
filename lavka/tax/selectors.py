"""How tax rates are read."""

import datetime
from decimal import Decimal

from django.db.models import FETCH_RAISE, QuerySet

from lavka.tax.models import TaxRate


def rates() -> QuerySet[TaxRate]:
    """Every rate: 1 query."""
    return TaxRate.objects.all().fetch_mode(FETCH_RAISE)


def percent_on(country: str, day: datetime.date) -> Decimal:
    """The country's rate on a day, 0 where none holds: 1 query."""
    holding = TaxRate.objects.filter(country=country, valid__contains=day)
    return holding.values_list("percent", flat=True).first() or Decimal(0)

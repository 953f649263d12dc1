"""Tax rates for tests."""

import datetime
from typing import Any

from lavka.tax.models import TaxRate


def make_tax_rate(country: str, percent: str, **overrides: Any) -> TaxRate:
    fields = {"valid_from": datetime.date(2020, 1, 1)} | overrides
    return TaxRate.objects.create(country=country, percent=percent, **fields)

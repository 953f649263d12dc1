"""Settings of these tests."""

from typing import Any

import pytest

SELLER = {
    "name": "Tea & Kettles Ltd",
    "address": ["1 Market Street", "London E1 6AN", "United Kingdom"],
    "vat_number": "GB123456789",
    "tax_number": "12/345/67890",
    "register": "Companies House 01234567",
    "contact": "hello@kettles.example",
}


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    """A seller with everything that an invoice has to say, and no limits."""
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False, "SELLER": SELLER}

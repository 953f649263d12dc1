"""A shop that sells in earnest is told when its invoices do not say who sells."""

from typing import Any

import pytest

from lavka.invoices.checks import seller_is_named
from tests.invoices.conftest import SELLER

MANUAL = "lavka.payments.gateways.manual.Manual"
SANDBOX = "lavka.payments.gateways.sandbox.Sandbox"


@pytest.mark.parametrize(
    ("gateways", "without", "ids"),
    [
        ({"invoice": MANUAL}, [], []),
        ({"invoice": MANUAL}, ["vat_number"], []),
        ({"invoice": MANUAL}, ["vat_number", "tax_number"], ["lavka.W070"]),
        ({"invoice": MANUAL}, ["address"], ["lavka.W070"]),
        ({"invoice": MANUAL}, [*SELLER], ["lavka.W070"]),
        ({"invoice": MANUAL, "sandbox": SANDBOX}, [*SELLER], []),
    ],
)
def test_the_seller_is_named(
    settings: Any, gateways: dict[str, str], without: list[str], ids: list[str]
):
    seller = {name: value for name, value in SELLER.items() if name not in without}
    settings.LAVKA = settings.LAVKA | {"SELLER": seller, "PAYMENT_GATEWAYS": gateways}

    assert [each.id for each in seller_is_named()] == ids

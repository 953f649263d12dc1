"""Fills the shop with goods, customers and an endpoint; runs inside the shop's own process."""

import json
import sys

from django.db import connection

from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from lavka.webhooks import services as webhooks
from tests.catalog.factories import make_product, make_type, make_variant
from tests.inventory.factories import make_stock
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

ON_HAND = 100_000
_CUSTOMERS = """
INSERT INTO accounts_user
    (email, password, name, is_staff, is_superuser, is_active, language)
SELECT 'reviewer-' || gen_random_uuid() || '@example.com', '!', 'Reviewer',
       false, false, true, 'en'
FROM generate_series(1, %s)
RETURNING id
"""


def print_endpoint(url: str) -> None:
    """Tell this address about every event; print the secret that checks it."""
    _, keys = webhooks.create_endpoint(name="Faults", url=url, events=[])
    make_shipping_rate()
    make_tax_rate("GB", "20")
    assert ShippingRate.objects.count() == TaxRate.objects.count() == 1
    sys.stdout.write(keys.shared)


def print_goods(*, shelves: int, customers: int) -> None:
    """Print as JSON so many shelves: two variants to buy, a product to review, its reviewers."""
    kind = make_type()
    sys.stdout.write(json.dumps([_shelf(kind, customers) for _ in range(shelves)]))


def _shelf(kind: object, customers: int) -> dict[str, object]:
    products = [make_product(product_type=kind) for _ in range(2)]
    variants = [make_stock(ON_HAND, make_variant(product=product)) for product in products]
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [customers])
        reviewers = [str(row[0]) for row in cursor.fetchall()]
    return {
        "variants": [str(variant.pk) for variant in variants],
        "product_id": str(products[0].pk),
        "slug": products[0].slug,
        "reviewers": reviewers,
    }

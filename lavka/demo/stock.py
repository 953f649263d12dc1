"""The demo's stock, and what it charges for tax and shipping."""

import zlib
from decimal import Decimal
from itertools import groupby

from lavka.catalog.models import Variant
from lavka.catalog.rules import slug_from
from lavka.demo import goods
from lavka.demo.products import sold_out_skus
from lavka.inventory import services as inventory
from lavka.kernel import clock
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.shipping import services as shipping
from lavka.shipping.models import ShippingRate
from lavka.tax import services as tax
from lavka.tax.models import TaxRate

WAREHOUSE = "main"
FEWEST, MOST = 2, 60


def count_variants() -> int:
    """Count the demo's variants that nobody has counted yet; returns how many.

    They came with their product, on the day when the shop began to sell it.
    """
    slugs = [slug_from(said["name"]) for said in goods.products()]
    uncounted = Variant.objects.filter(product__slug__in=slugs, stock_levels=None)
    found = uncounted.select_related("product").order_by("product__created_at", "product", "sku")
    sold_out, counted = sold_out_skus(), 0
    for product, variants in groupby(found, key=lambda each: each.product):
        counts = {
            variant.pk: 0 if variant.sku in sold_out else _units_of(variant.sku)
            for variant in variants
        }
        with clock.set_to(product.created_at):
            inventory.count_stock(counts=counts, warehouse=WAREHOUSE)
        counted += len(counts)
    return counted


def add_rates() -> int:
    """Add the demo's rates of tax and of shipping to a shop that has none; returns how many."""
    said = goods.read("rates")
    added = 0
    if not TaxRate.objects.exists():
        for rate in said["tax"]:
            tax.create_rate(
                country=rate["country"],
                percent=Decimal(rate["percent"]),
                valid_from=rate["from"],
                valid_until=rate.get("until"),
            )
            added += 1
    if not ShippingRate.objects.exists():
        for position, rate in enumerate(said["shipping"]):
            shipping.create_rate(
                country=rate["country"],
                name=rate["name"],
                delivery=rate["delivery"],
                price=Money.parse(rate["price"], options.currency),
                free_from=Money.parse(rate["free_from"], options.currency)
                if "free_from" in rate
                else None,
                position=position,
            )
            added += 1
    return added


def _units_of(sku: str) -> int:
    """The same every time, and different from its neighbours."""
    return FEWEST + zlib.crc32(sku.encode()) % (MOST - FEWEST + 1)

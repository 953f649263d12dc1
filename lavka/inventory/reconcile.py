"""Whether the counters of stock are what the rows behind them say; found, reported, not mended.

A counter that differs is a bug or a hand in the database, and which of both sides is right is for
people to say. Only the catalogue's flag, which follows from the counters, is put right.
"""

import datetime
import logging
from uuid import UUID

from django.db import connection, transaction

from lavka.inventory.models import StockLevel
from lavka.inventory.services.changes import show_in_catalogue
from lavka.kernel.models import DriftReport

logger = logging.getLogger(__name__)

# One statement is one snapshot, so what sells meanwhile is no drift.
_DRIFTED = """
SELECT level.id, level.on_hand, coalesce(moved.units, 0), level.reserved,
    coalesce(kept.units, 0) + coalesce(given.units, 0)
FROM inventory_stocklevel AS level
LEFT JOIN (SELECT level_id, sum(quantity) AS units FROM inventory_stockmovement GROUP BY 1)
    AS moved ON moved.level_id = level.id
LEFT JOIN (SELECT level_id, sum(quantity) AS units FROM inventory_reservation GROUP BY 1)
    AS kept ON kept.level_id = level.id
LEFT JOIN (SELECT level_id, sum(quantity) AS units FROM inventory_allocation GROUP BY 1)
    AS given ON given.level_id = level.id
WHERE level.on_hand <> coalesce(moved.units, 0)
    OR level.reserved <> coalesce(kept.units, 0) + coalesce(given.units, 0)
"""
_MISSHOWN = """
SELECT variant.id FROM catalog_variant AS variant
LEFT JOIN inventory_stocklevel AS level ON level.variant_id = variant.id
GROUP BY variant.id HAVING variant.has_stock <> (coalesce(sum(level.available), 0) > 0)
"""


@transaction.atomic
def reconcile_stock(*, at: datetime.datetime) -> DriftReport:
    """Compare every level with its ledger, its reservations and its allocations.

    `details` maps the id of a level to `on_hand`, `moved`, `reserved` and `promised`.
    Emits: ProductChanged, for variants that the catalogue showed wrongly.
    """
    drifted = drifted_levels()
    show_in_catalogue(misshown_variants())
    if drifted:
        logger.error("stock drifted", extra={"levels": len(drifted)})
    return DriftReport.objects.create(
        subject="stock",
        checked=StockLevel.objects.count(),
        drifted=len(drifted),
        details=drifted,
        ran_at=at,
    )


def drifted_levels() -> dict[str, dict[str, int]]:
    """Levels (by id) whose counters differ from their rows, as `DriftReport` tells them."""
    names = ("on_hand", "moved", "reserved", "promised")
    with connection.cursor() as cursor:
        cursor.execute(_DRIFTED)
        return {
            str(level_id): dict(zip(names, map(int, counters), strict=True))
            for level_id, *counters in cursor.fetchall()
        }


def misshown_variants() -> list[UUID]:
    """Variants of which the catalogue says wrongly that there is or is not a unit to sell."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSHOWN)
        return [variant_id for (variant_id,) in cursor.fetchall()]

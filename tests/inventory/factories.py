"""Stock for tests."""

from typing import Any
from uuid import UUID

from lavka.catalog.models import Variant
from lavka.inventory import services
from lavka.inventory.models import StockLevel, StockMovement, Warehouse
from tests.catalog.factories import make_variant


def make_warehouse(code: str = "main", **overrides: Any) -> Warehouse:
    fields = {"name": code.title()} | overrides
    return Warehouse.objects.get_or_create(code=code, defaults=fields)[0]


def make_stock(on_hand: int, variant: Variant | None = None, warehouse: str = "main") -> Variant:
    """A tracked variant with so many units counted in a warehouse."""
    variant = variant or make_variant(track_inventory=True)
    Variant.objects.filter(pk=variant.pk, track_inventory=False).update(track_inventory=True)
    make_warehouse(warehouse)
    services.set_on_hand(variant_id=variant.pk, warehouse=warehouse, on_hand=on_hand)
    return variant


def counters(variant_id: UUID) -> tuple[int, int]:
    """On hand and reserved, over all warehouses."""
    levels = StockLevel.objects.filter(variant_id=variant_id)
    return sum(each.on_hand for each in levels), sum(each.reserved for each in levels)


def moved(variant_id: UUID) -> int:
    """The sum of the ledger."""
    movements = StockMovement.objects.filter(level__variant_id=variant_id)
    return sum(each.quantity for each in movements)

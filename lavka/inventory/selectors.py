"""How stock is read."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import FETCH_RAISE, QuerySet

from lavka.inventory.models import StockLevel, StockMovement, StockPolicy, Warehouse
from lavka.kernel import rows
from lavka.kernel.actors import email_of

# Named, as a cart asks for it each time it is read or changed.
_AVAILABLE = """
SELECT variant.id, variant.track_inventory,
    coalesce(sum(level.available), 0) + coalesce(sum(own.quantity), 0)
FROM catalog_variant AS variant
LEFT JOIN inventory_stocklevel AS level ON level.variant_id = variant.id
LEFT JOIN inventory_reservation AS own ON own.level_id = level.id AND own.hold_id = %s
WHERE variant.id = ANY(%s)
GROUP BY variant.id
"""


def available_of(
    variant_ids: Collection[UUID], holder: UUID | None = None
) -> dict[UUID, int | None]:
    """Units that may be bought of each variant: 1 query, or none.

    None is without limit: a variant that is sold without counting. What the holder keeps already is
    available to it. Unknown variants are absent.
    """
    if not variant_ids:
        return {}
    found = rows.fetch_all(_AVAILABLE, [holder, list(variant_ids)])
    return {
        variant_id: available if is_tracked else None for variant_id, is_tracked, available in found
    }


def levels_of(variant_id: UUID) -> QuerySet[StockLevel]:
    """A variant's levels with their warehouses, in the order of those: 1 query."""
    levels = StockLevel.objects.filter(variant_id=variant_id).select_related("warehouse")
    return levels.order_by("warehouse__priority", "warehouse__code").fetch_mode(FETCH_RAISE)


def policy_of(variant_id: UUID) -> StockPolicy:
    """A variant's policy, an unsaved one that denies while there is none."""
    found = StockPolicy.objects.filter(variant_id=variant_id).first()
    return found or StockPolicy(variant_id=variant_id)


def warehouses() -> QuerySet[Warehouse]:
    """Warehouses: 1 query."""
    return Warehouse.objects.all().fetch_mode(FETCH_RAISE)


def movements() -> QuerySet[StockMovement]:
    """The ledger with variants, warehouses and the addresses of who wrote it: 1 query."""
    named = StockMovement.objects.annotate(actor_email=email_of("actor_id"))
    return named.select_related("level__variant", "level__warehouse").fetch_mode(FETCH_RAISE)

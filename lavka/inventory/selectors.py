"""How stock is read."""

import datetime
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import FETCH_RAISE, Prefetch, QuerySet

from lavka.inventory.models import (
    Hold,
    Reservation,
    StockLevel,
    StockMovement,
    StockPolicy,
    Warehouse,
)
from lavka.kernel import rows
from lavka.kernel.actors import email_of

# Named, as a cart asks for it each time it is read or changed.
_AVAILABLE = f"""
SELECT variant.id, variant.track_inventory,
    coalesce(sum(level.available), 0) + coalesce(sum(own.quantity), 0)
FROM catalog_variant AS variant
LEFT JOIN inventory_stocklevel AS level ON level.variant_id = variant.id
LEFT JOIN inventory_reservation AS own ON own.level_id = level.id AND own.hold_id = %s
WHERE variant.id = {rows.ANY_UUID}
GROUP BY variant.id
"""  # noqa: S608 - only a constant of `rows` is put in


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


# What others let expire is there for whoever asks, though it is not given back yet.
_EXPIRED = """
SELECT level.variant_id, sum(kept.quantity)
FROM inventory_stocklevel AS level
JOIN inventory_reservation AS kept ON kept.level_id = level.id
JOIN inventory_hold AS hold ON hold.id = kept.hold_id
WHERE level.variant_id = ANY(%s) AND hold.expires_at <= %s AND hold.id IS DISTINCT FROM %s
GROUP BY level.variant_id
"""


def available_for(
    wanted: Mapping[UUID, int], at: datetime.datetime, holder: UUID | None = None
) -> dict[UUID, int | None]:
    """As `available_of`, for who wants so many (variant id → units): a query more when it is short.

    Only then it tells of what others let expire, too.
    """
    available = available_of(wanted.keys(), holder)
    short = [
        variant_id
        for variant_id, units in available.items()
        if units is not None and units < wanted[variant_id]
    ]
    if short:
        for variant_id, expired in rows.fetch_all(_EXPIRED, [short, at, holder]):
            available[variant_id] = (available[variant_id] or 0) + expired
    return available


def holds() -> QuerySet[Hold]:
    """What is kept from others, with variants and warehouses: 2 queries."""
    lines = Reservation.objects.select_related("level__variant", "level__warehouse")
    lines = lines.order_by("level__variant__sku", "level__warehouse__code")
    return Hold.objects.prefetch_related(Prefetch("reservations", lines)).fetch_mode(FETCH_RAISE)


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

"""How counters of stock change: locked in order, guarded in the statement, told to the shop."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Max, Sum

from lavka.catalog import services as catalog
from lavka.inventory.events import StockCameBack, StockRanLow, StockRanOut
from lavka.inventory.models import StockLevel
from lavka.kernel import events
from lavka.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Change:
    """By how much one level's counters move; `beyond` is its backorder limit."""

    level: StockLevel
    on_hand: int = 0
    reserved: int = 0
    beyond: int = 0


def lock_levels(variant_ids: Collection[UUID]) -> list[StockLevel]:
    """The levels of these variants with their warehouses, none for untracked variants.

    Locks: these levels, by variant and warehouse, until the caller's transaction ends.
    """
    levels = StockLevel.objects.filter(variant_id__in=variant_ids).select_related("warehouse")
    ordered = levels.order_by("variant_id", "warehouse_id")
    return list(ordered.select_for_update(of=("self",), no_key=True))


# The guard is the statement's own, so it holds whatever its caller has read or locked.
_CHANGE = """
UPDATE inventory_stocklevel AS level
SET on_hand = level.on_hand + change.on_hand,
    reserved = level.reserved + change.reserved,
    backorder_limit = level.backorder_limit + change.beyond
FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[])
    AS change (id, on_hand, reserved, beyond)
WHERE level.id = change.id
    AND level.on_hand + change.on_hand >= 0
    AND level.backorder_limit + change.beyond >= 0
    AND level.reserved + change.reserved BETWEEN 0
        AND level.on_hand + change.on_hand + level.backorder_limit + change.beyond
"""


def change_levels(changes: Iterable[Change]) -> bool:
    """Move counters of levels that the caller has locked; False when a guard refused one.

    After False some may have moved: the caller raises, and its transaction takes them back.
    Variants that crossed zero are shown so in the catalogue.
    Emits: ProductChanged, StockRanOut, StockCameBack, StockRanLow.
    """
    moved = [each for each in changes if each.on_hand or each.reserved or each.beyond]
    if not moved:
        return True
    columns: list[Any] = [
        [each.level.pk for each in moved],
        [each.on_hand for each in moved],
        [each.reserved for each in moved],
        [each.beyond for each in moved],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, columns)
        if cursor.rowcount != len(moved):
            return False
    _tell(moved)
    return True


def show_in_catalogue(variant_ids: Collection[UUID]) -> None:
    """Make the catalogue's flag say what the levels of tracked variants say.

    Emits: ProductChanged, once for each product that looks different now.
    """
    totals = _totals(variant_ids)
    catalog.set_in_stock(flags={row["variant_id"]: row["available"] > 0 for row in totals})


def _tell(moved: Collection[Change]) -> None:
    free: Counter[UUID] = Counter()
    beyond: Counter[UUID] = Counter()
    for each in moved:
        free[each.level.variant_id] += each.on_hand - each.reserved
        beyond[each.level.variant_id] += each.beyond
    news: list[Event] = []
    crossed: dict[UUID, bool] = {}
    for row in _totals(free):
        variant_id, by = row["variant_id"], free[row["variant_id"]]
        was_available = row["available"] - by - beyond[variant_id] > 0
        if was_available != (row["available"] > 0):
            crossed[variant_id] = not was_available
        if row["low"] is not None and row["free"] <= row["low"] < row["free"] - by:
            news.append(StockRanLow(variant_id=variant_id))
    # Who counts for the first time what was sold freely brings nothing back.
    shown = catalog.set_in_stock(flags=crossed) if crossed else set()
    news += [
        (StockCameBack if crossed[each] else StockRanOut)(variant_id=each) for each in sorted(shown)
    ]
    if news:
        events.publish(*news)


def _totals(variant_ids: Iterable[UUID]) -> Iterable[Any]:
    """A statement of its own, so it sees levels that others added while this caller waited."""
    levels = StockLevel.objects.filter(variant_id__in=variant_ids).order_by("variant_id")
    return levels.values("variant_id").annotate(
        free=Sum(F("on_hand") - F("reserved")),
        available=Sum("available"),
        low=Max("variant__stock_policy__low_stock_threshold"),
    )

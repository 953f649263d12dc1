"""How counters of stock change: locked in order, guarded in the statement, told to the shop."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, QuerySet

from lavka.catalog import services as catalog
from lavka.catalog.models import Variant
from lavka.inventory.events import StockCameBack, StockEvent, StockRanLow, StockRanOut
from lavka.inventory.models import StockLevel
from lavka.kernel import actors, clock, events, rows
from lavka.kernel.actors import Actor


@dataclass(frozen=True, slots=True)
class Change:
    """By how much one level's counters move; `beyond` is its backorder limit."""

    level: StockLevel
    on_hand: int = 0
    reserved: int = 0
    beyond: int = 0


def written_by(actor: Actor | None) -> dict[str, Any]:
    """What the ledger says of when and by whom something moved: `actor`, or whoever acts here."""
    named = actor or actors.current()
    return {
        "actor_kind": named.kind,
        "actor_id": named.id,
        "actor_name": named.name,
        "created_at": clock.now(),
    }


def lock_levels(variant_ids: Collection[UUID]) -> list[StockLevel]:
    """The levels of these variants with their warehouses, and whether the variant is tracked.

    Locks: these levels, by variant and warehouse, until the caller's transaction ends.
    """
    return _levels.all(list(variant_ids))


@rows.Compiled
def _levels(variant_ids: list[UUID]) -> QuerySet[StockLevel]:
    levels = StockLevel.objects.filter(rows.one_of("variant_id", variant_ids))
    ordered = levels.select_related("warehouse").order_by("variant_id", "warehouse_id")
    ordered = ordered.annotate(is_tracked=F("variant__track_inventory"))  # type: ignore[no-redef]
    return ordered.select_for_update(of=("self",), no_key=True)


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
    if rows.execute(_CHANGE, columns) != len(moved):
        return False
    _tell(moved)
    return True


def show_in_catalogue(variant_ids: Collection[UUID]) -> None:
    """Make the catalogue's flag say what the levels say; a variant without one has no stock.

    Emits: ProductChanged, once for each product that looks different now.
    """
    flags = dict.fromkeys(variant_ids, False)
    flags |= {row.variant_id: row.available > 0 for row in _totals(variant_ids)}
    catalog.set_has_stock(flags=flags)


def _tell(moved: Collection[Change]) -> None:
    free: Counter[UUID] = Counter()
    beyond: Counter[UUID] = Counter()
    for each in moved:
        free[each.level.variant_id] += each.on_hand - each.reserved
        beyond[each.level.variant_id] += each.beyond
    totals = {row.variant_id: row for row in _totals(free)}
    news: list[tuple[type[StockEvent], UUID]] = []
    crossed: dict[UUID, bool] = {}
    for row in totals.values():
        variant_id, by = row.variant_id, free[row.variant_id]
        was_available = row.available - by - beyond[variant_id] > 0
        if was_available != (row.available > 0):
            crossed[variant_id] = not was_available
        if row.low is not None and row.free <= row.low < row.free - by:
            news.append((StockRanLow, variant_id))
    # What is sold without counting neither ran out nor comes back.
    shown = catalog.set_has_stock(flags=crossed) if crossed else set()
    news += [(StockCameBack if crossed[each] else StockRanOut, each) for each in sorted(shown)]
    if news:
        _publish(news, totals)


def _publish(
    news: Collection[tuple[type[StockEvent], UUID]], totals: Mapping[UUID, "_Total"]
) -> None:
    articles = Variant.objects.only("sku", "product_id").in_bulk([each for _, each in news])
    events.publish(
        *(
            event(
                variant_id=each,
                sku=articles[each].sku,
                product_id=articles[each].product_id,
                available=totals[each].available,
            )
            for event, each in news
        )
    )


class _Total(NamedTuple):
    variant_id: UUID
    free: int
    available: int
    low: int | None


_TOTALS = """
SELECT level.variant_id, sum(level.on_hand - level.reserved), sum(level.available),
    max(policy.low_stock_threshold)
FROM inventory_stocklevel AS level
LEFT JOIN inventory_stockpolicy AS policy ON policy.variant_id = level.variant_id
WHERE level.variant_id = ANY(%s)
GROUP BY level.variant_id ORDER BY level.variant_id
"""


def _totals(variant_ids: Iterable[UUID]) -> list[_Total]:
    """A statement of its own, so it sees levels that others added while this caller waited."""
    return [_Total(*row) for row in rows.fetch_all(_TOTALS, [list(variant_ids)])]

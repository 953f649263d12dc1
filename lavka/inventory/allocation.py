"""From which warehouse a purchase is taken: the plug point and its default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from lavka.kernel.plugs import Plug


@dataclass(frozen=True, slots=True)
class Offer:
    """What one stock level can still promise: `on_hand` at once, `beyond` as a backorder."""

    level_id: UUID
    variant_id: UUID
    warehouse_id: UUID
    priority: int
    on_hand: int
    beyond: int


class AllocationStrategy(Protocol):
    """Decides which levels a purchase is taken from; it never has to refuse one."""

    def allocate(
        self, *, wanted: Mapping[UUID, int], offers: Sequence[Offer]
    ) -> Mapping[UUID, int]:
        """Units to take from each level (by id) that add up to `wanted` (variant id → units).

        Together the offers hold at least what is wanted.
        """


class FewestWarehouses:
    """Take from the warehouse that covers the most, then the next; ties go by priority.

    What lies there comes before backorders. The greedy choice may need one warehouse more than
    the best possible one would, and never splits what one warehouse can send alone.
    """

    def allocate(
        self, *, wanted: Mapping[UUID, int], offers: Sequence[Offer]
    ) -> Mapping[UUID, int]:
        """See `AllocationStrategy`."""
        missing, taken = dict(wanted), dict[UUID, int]()
        for kind in ("on_hand", "beyond"):
            by_warehouse: dict[tuple[int, UUID], list[Offer]] = {}
            for offer in offers:
                by_warehouse.setdefault((offer.priority, offer.warehouse_id), []).append(offer)
            while by_warehouse and any(missing.values()):
                best = max(
                    sorted(by_warehouse),
                    key=lambda place: sum(
                        min(getattr(offer, kind), missing[offer.variant_id])
                        for offer in by_warehouse[place]
                    ),
                )
                for offer in by_warehouse.pop(best):
                    units = min(getattr(offer, kind), missing[offer.variant_id])
                    missing[offer.variant_id] -= units
                    taken[offer.level_id] = taken.get(offer.level_id, 0) + units
        return {level_id: units for level_id, units in taken.items() if units}


strategy = Plug(
    setting="ALLOCATION_STRATEGY",
    protocol=AllocationStrategy,  # type: ignore[type-abstract]
    default="lavka.inventory.allocation.FewestWarehouses",
    check_id="lavka.E001",
)

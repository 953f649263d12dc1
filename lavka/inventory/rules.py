"""How many units of a stock one buyer may keep from others before paying."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Requester:
    """Who asks to have stock held: a customer or, without an id, a guest; and from which address.

    Of each variant they may have `free_units` held, however few are left. `is_ordering`: what they
    get becomes an order at once, so it has no end.
    """

    customer_id: UUID | None
    address: str
    free_units: int
    is_ordering: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldLimit:
    """What one customer, or one address, may have held: units in all, and a share of a variant.

    0 is no limit.
    """

    units: int
    share_percent: int

    def allows(
        self,
        asked: Mapping[UUID, int],
        *,
        used: Mapping[UUID, int],
        free: Mapping[UUID, int],
        free_units: int,
    ) -> bool:
        """Whether `asked` may be held beside what is `used` already (variant id → units).

        `free` is what is left of each variant that is to be held now.
        """
        if self.units and sum(asked.values()) + sum(used.values()) > self.units:
            return False
        if not self.share_percent:
            return True
        return all(
            asked[variant_id] + used.get(variant_id, 0)
            <= max(free_units, left * self.share_percent // 100)
            for variant_id, left in free.items()
        )

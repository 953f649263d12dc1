"""What can happen to stock."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class StockEvent(Event):
    """Something happened to a variant's stock, of which `available` units can be bought since."""

    right: ClassVar[str] = "inventory.view_stocklevel"
    variant_id: UUID
    sku: str | None = None
    product_id: UUID | None = None
    available: int | None = None

    @property
    def aggregate(self) -> UUID:
        """The variant."""
        return self.variant_id


@dataclass(frozen=True, kw_only=True)
class StockRanLow(StockEvent):
    """Unpromised units fell to the variant's threshold or below it."""

    name: ClassVar[str] = "inventory.stock_ran_low"


@dataclass(frozen=True, kw_only=True)
class StockRanOut(StockEvent):
    """The last unit that could be promised was."""

    name: ClassVar[str] = "inventory.stock_ran_out"


@dataclass(frozen=True, kw_only=True)
class StockCameBack(StockEvent):
    """A variant that could not be bought can be bought again."""

    name: ClassVar[str] = "inventory.stock_came_back"

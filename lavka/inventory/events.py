"""What can happen to stock."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class _StockEvent(Event):
    variant_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The variant."""
        return self.variant_id


@dataclass(frozen=True, kw_only=True)
class StockRanLow(_StockEvent):
    """Unpromised units fell to the variant's threshold or below it."""

    name: ClassVar[str] = "inventory.stock_ran_low"


@dataclass(frozen=True, kw_only=True)
class StockRanOut(_StockEvent):
    """The last unit that could be promised was."""

    name: ClassVar[str] = "inventory.stock_ran_out"


@dataclass(frozen=True, kw_only=True)
class StockCameBack(_StockEvent):
    """A variant that could not be bought can be bought again."""

    name: ClassVar[str] = "inventory.stock_came_back"

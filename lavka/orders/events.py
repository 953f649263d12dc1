"""What can happen to orders."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class _OrderEvent(Event):
    order_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The order."""
        return self.order_id


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(_OrderEvent):
    """A draft became an order: it has its number, and its stock is allocated."""

    name: ClassVar[str] = "orders.order_placed"


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(_OrderEvent):
    """An order was called off before anything was shipped; its money is to be given back."""

    name: ClassVar[str] = "orders.order_cancelled"


@dataclass(frozen=True, kw_only=True)
class OrderEdited(_OrderEvent):
    """The lines of an order were changed before anything was shipped."""

    name: ClassVar[str] = "orders.order_edited"


@dataclass(frozen=True, kw_only=True)
class OrderFulfilled(_OrderEvent):
    """Everything of an order was handed to the carrier."""

    name: ClassVar[str] = "orders.order_fulfilled"


@dataclass(frozen=True, kw_only=True)
class OrderCompleted(_OrderEvent):
    """An order is delivered and paid."""

    name: ClassVar[str] = "orders.order_completed"

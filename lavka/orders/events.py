"""What can happen to orders."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event
from lavka.kernel.money import Money


@dataclass(frozen=True, kw_only=True)
class OrderChanged(Event):
    """Something happened to an order, which stands as the event says since then.

    `customer_id` is None for a guest's; `line_count` and `piece_count` say how much was ordered.
    """

    right: ClassVar[str] = "orders.view_order"
    order_id: UUID
    number: int | None = None
    status: str | None = None
    payment_status: str | None = None
    total: Money | None = None
    customer_id: UUID | None = None
    line_count: int | None = None
    piece_count: int | None = None

    @property
    def aggregate(self) -> UUID:
        """The order."""
        return self.order_id


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(OrderChanged):
    """A draft became an order: it has its number, and its stock is allocated."""

    name: ClassVar[str] = "orders.order_placed"


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(OrderChanged):
    """An order was called off before anything was shipped; its money is to be given back."""

    name: ClassVar[str] = "orders.order_cancelled"


@dataclass(frozen=True, kw_only=True)
class OrderEdited(OrderChanged):
    """The lines of an order were changed before anything was shipped."""

    name: ClassVar[str] = "orders.order_edited"


@dataclass(frozen=True, kw_only=True)
class OrderFulfilled(OrderChanged):
    """Everything of an order was handed to the carrier."""

    name: ClassVar[str] = "orders.order_fulfilled"


@dataclass(frozen=True, kw_only=True)
class OrderCompleted(OrderChanged):
    """An order is delivered and paid."""

    name: ClassVar[str] = "orders.order_completed"

"""What can happen to shipments and returns."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ShipmentSent(Event):
    """A shipment was handed to the carrier, with `piece_count` pieces of the order."""

    name: ClassVar[str] = "fulfilment.shipment_sent"
    right: ClassVar[str] = "fulfilment.view_shipment"
    shipment_id: UUID
    order_id: UUID
    order_number: int | None = None
    order_status: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    piece_count: int | None = None

    @property
    def aggregate(self) -> UUID:
        """The shipment."""
        return self.shipment_id


@dataclass(frozen=True, kw_only=True)
class ReturnChanged(Event):
    """A return of `piece_count` pieces was requested, approved, refused or received.

    `status` is its state from then on.
    """

    name: ClassVar[str] = "fulfilment.return_changed"
    right: ClassVar[str] = "fulfilment.view_returnrequest"
    return_id: UUID
    order_id: UUID
    order_number: int | None = None
    status: str | None = None
    reason: str | None = None
    piece_count: int | None = None

    @property
    def aggregate(self) -> UUID:
        """The return."""
        return self.return_id

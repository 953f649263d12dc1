"""What can happen to shipments and returns."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ShipmentSent(Event):
    """A shipment was handed to the carrier."""

    name: ClassVar[str] = "fulfilment.shipment_sent"
    shipment_id: UUID
    order_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The shipment."""
        return self.shipment_id


@dataclass(frozen=True, kw_only=True)
class ReturnChanged(Event):
    """A return was requested, approved, refused or received: its `status` from then on."""

    name: ClassVar[str] = "fulfilment.return_changed"
    return_id: UUID
    order_id: UUID
    status: str = ""

    @property
    def aggregate(self) -> UUID:
        """The return."""
        return self.return_id

"""What can happen to wishes."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AlertTriggered(Event):
    """A variant that a customer waited for can be bought again; they wait for it no more."""

    name: ClassVar[str] = "wishlists.alert_triggered"
    user_id: UUID
    variant_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The customer."""
        return self.user_id

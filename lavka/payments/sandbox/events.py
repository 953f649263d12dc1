"""What the sandbox has to tell the shop."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class WebhookDue(Event):
    """A webhook waits to be sent to the shop."""

    name: ClassVar[str] = "sandbox.webhook_due"
    webhook_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The webhook."""
        return self.webhook_id

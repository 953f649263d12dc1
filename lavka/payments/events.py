"""What can happen to payments."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event
from lavka.kernel.money import Money


@dataclass(frozen=True, kw_only=True)
class PaymentEvent(Event):
    """Something happened to a payment; events of one payment keep their order.

    `amount` is what this was about; `authorised`, `captured` and `refunded` are what came of the
    payment by now. `order_number` is None while the order is being bought.
    """

    right: ClassVar[str] = "payments.view_payment"
    payment_id: UUID
    order_id: UUID
    order_number: int | None = None
    method: str | None = None
    status: str | None = None
    amount: Money | None = None
    authorised: Money | None = None
    captured: Money | None = None
    refunded: Money | None = None

    @property
    def aggregate(self) -> UUID:
        """The payment."""
        return self.payment_id


@dataclass(frozen=True, kw_only=True)
class PaymentAuthorised(PaymentEvent):
    """The provider holds the money for the shop and has not taken it yet."""

    name: ClassVar[str] = "payments.payment_authorised"


@dataclass(frozen=True, kw_only=True)
class PaymentCaptured(PaymentEvent):
    """Money was taken, all of it or a part."""

    name: ClassVar[str] = "payments.payment_captured"


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(PaymentEvent):
    """The payment was declined or given up; no money moved."""

    name: ClassVar[str] = "payments.payment_failed"


@dataclass(frozen=True, kw_only=True)
class PaymentVoided(PaymentEvent):
    """What was authorised and not captured was given up."""

    name: ClassVar[str] = "payments.payment_voided"


@dataclass(frozen=True, kw_only=True)
class PaymentRefunded(PaymentEvent):
    """Captured money went back, all of it or a part; `operation_id` says which refund it was."""

    name: ClassVar[str] = "payments.payment_refunded"
    operation_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ProviderSpoke(Event):
    """A provider's webhook was stored in the inbox."""

    name: ClassVar[str] = "payments.provider_spoke"
    provider_event_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The stored webhook."""
        return self.provider_event_id

"""What a payment's amounts say about it, and which states follow which."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from lavka.kernel.idempotency import fingerprint_of
from lavka.kernel.money import Money


class PaymentStatus(TextChoices):
    """Where a payment stands; from AUTHORISED on the amounts decide."""

    PENDING = "pending", _("pending")
    REQUIRES_ACTION = "requires_action", _("waits for the customer")
    AUTHORISED = "authorised", _("authorised")
    CAPTURED = "captured", _("captured")
    PARTIALLY_REFUNDED = "partially_refunded", _("partially refunded")
    REFUNDED = "refunded", _("refunded")
    VOIDED = "voided", _("voided")
    FAILED = "failed", _("failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentInput:
    """How a customer pays.

    `token` is the provider's word for their means of payment. One who has to act on the provider's
    page comes back to `return_url`.
    """

    method: str
    token: str = ""
    return_url: str = ""


_HOLDS_MONEY = frozenset(
    {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.FAILED}
)
# FAILED is left again when a provider approves what was given up: the money is what counts.
TRANSITIONS: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: _HOLDS_MONEY | {PaymentStatus.REQUIRES_ACTION},
    PaymentStatus.REQUIRES_ACTION: _HOLDS_MONEY,
    PaymentStatus.AUTHORISED: frozenset({PaymentStatus.CAPTURED, PaymentStatus.VOIDED}),
    PaymentStatus.CAPTURED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED}),
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.REFUNDED: frozenset({PaymentStatus.PARTIALLY_REFUNDED}),
    PaymentStatus.VOIDED: frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}),
    PaymentStatus.FAILED: frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}),
}

# What the keys begin with of refunds that the shop begins by itself; no client's key has a blank.
GIVE_BACK = "give back of"


UNDECIDED = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)


class OperationKind(TextChoices):
    """What a provider is asked to do."""

    AUTHORISE = "authorise", _("authorise")
    CAPTURE = "capture", _("capture")
    VOID = "void", _("void")
    REFUND = "refund", _("refund")


class OperationState(TextChoices):
    """STARTED: the provider may or may not have been asked. WAITING: it will tell later."""

    STARTED = "started", _("started")
    WAITING = "waiting", _("waiting")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


UNFINISHED = (OperationState.STARTED, OperationState.WAITING)
# The reason of an operation whose provider moved another amount or currency than was asked for.
AMOUNT_MISMATCH = "amount_mismatch"


class Account(TextChoices):
    """Where money of the shop can be. What an account took in minus what it gave is its balance."""

    SALES = "sales", _("sales")
    RECEIVABLE = "receivable", _("owed by customers")
    CLEARING = "clearing", _("at the provider")
    REFUNDS = "refunds", _("refunds")


# From which account an operation moves money to which.
MOVES: Mapping[OperationKind, tuple[Account, Account]] = {
    OperationKind.CAPTURE: (Account.RECEIVABLE, Account.CLEARING),
    OperationKind.REFUND: (Account.CLEARING, Account.REFUNDS),
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """A payment's money in minor units; what is being captured, voided, refunded is spoken for."""

    authorised: int
    capturing: int
    captured: int
    voiding: int
    voided: int
    refunding: int
    refunded: int

    @property
    def capturable(self) -> int:
        """What is authorised and neither taken, given up nor spoken for."""
        return self.authorised - self.captured - self.capturing - self.voided - self.voiding

    @property
    def refundable(self) -> int:
        """What was captured and neither given back nor spoken for."""
        return self.captured - self.refunded - self.refunding

    @property
    def held(self) -> int:
        """What the provider has of the customer's, taken or not."""
        return self.authorised - self.voided - self.refunded

    @property
    def status(self) -> PaymentStatus:
        """Where a payment with money in it stands."""
        if self.refunded:
            is_all = self.refunded == self.captured
            return PaymentStatus.REFUNDED if is_all else PaymentStatus.PARTIALLY_REFUNDED
        if self.captured:
            return PaymentStatus.CAPTURED
        return PaymentStatus.VOIDED if self.voided else PaymentStatus.AUTHORISED


def fingerprint_of_change(operation: str, amount: Money | None) -> str:
    """What a capture or refund, of a payment or an order, means: an amount, or all that is left."""
    return fingerprint_of({"operation": operation, "amount": amount and amount.as_json()})

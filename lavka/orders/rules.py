"""What an order is made of, which states follow which, and how its money adds up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.catalog.rules import SelectedOption, StoredPicture
from lavka.tax.rules import TaxShare, sum_of


class OrderStatus(TextChoices):
    """Where an order stands; a draft is a checkout that is not paid yet, and has no number."""

    DRAFT = "draft", pgettext_lazy("of an order", "draft")
    PLACED = "placed", _("placed")
    PARTIALLY_FULFILLED = "partially_fulfilled", _("partially shipped")
    FULFILLED = "fulfilled", pgettext_lazy("of an order", "shipped")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")


class OrderPaymentStatus(TextChoices):
    """Where an order's money stands; it follows from the amounts."""

    UNPAID = "unpaid", _("unpaid")
    AUTHORISED = "authorised", _("authorised")
    PARTIALLY_PAID = "partially_paid", _("partially paid")
    PAID = "paid", _("paid")
    PARTIALLY_REFUNDED = "partially_refunded", _("partially refunded")
    REFUNDED = "refunded", _("refunded")


class EventKind(TextChoices):
    """What an entry in an order's history tells."""

    PLACED = "placed", _("placed")
    EDITED = "edited", _("changed")
    CANCELLED = "cancelled", _("cancelled")
    AUTHORISED = "authorised", _("money authorised")
    VOIDED = "voided", _("authorisation voided")
    CAPTURED = "captured", _("money captured")
    REFUNDED = "refunded", _("money refunded")
    SHIPPED = "shipped", _("shipment sent")
    DELIVERED = "delivered", _("shipment delivered")
    COMPLETED = "completed", _("completed")
    RETURN_REQUESTED = "return_requested", _("return requested")
    RETURN_APPROVED = "return_approved", _("return approved")
    RETURN_REFUSED = "return_refused", _("return refused")
    RETURN_RECEIVED = "return_received", _("return received")
    NOTE = "note", _("note")
    LINKS_REVOKED = "links_revoked", _("links revoked")
    PAYMENT_DUE = "payment_due", _("payment deadline set")


# Why the shop itself cancels an order; what staff write as a reason stays between them.
PAYMENT_OVERDUE = "payment overdue"

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.DRAFT: frozenset({OrderStatus.PLACED}),
    OrderStatus.PLACED: frozenset(
        {OrderStatus.PARTIALLY_FULFILLED, OrderStatus.FULFILLED, OrderStatus.CANCELLED}
    ),
    OrderStatus.PARTIALLY_FULFILLED: frozenset({OrderStatus.FULFILLED}),
    OrderStatus.FULFILLED: frozenset({OrderStatus.COMPLETED}),
    OrderStatus.COMPLETED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
}


def sources_of(target: OrderStatus) -> list[OrderStatus]:
    """The states from which an order may come to `target`."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineContent:
    """One line as it was sold: a copy, in minor units, that outlives the product."""

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    selected_options: Sequence[SelectedOption] = ()
    image: StoredPicture | None = None
    unit_price: int
    quantity: int
    discount: int = 0
    taxes: Sequence[TaxShare] = ()

    @property
    def tax(self) -> int:
        """Of all pieces, at every rate."""
        return sum_of(self.taxes)

    @property
    def subtotal(self) -> int:
        """The price of all pieces before discount."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderContent:
    """What a customer agrees to buy, for how much, and where it goes.

    `is_tax_included` says whether prices and shipping contain their tax already.
    """

    currency: str
    email: str
    vat_number: str = ""
    language: str = "en"
    lines: tuple[LineContent, ...]
    shipping_address: Mapping[str, str]
    billing_address: Mapping[str, str] | None = None
    shipping_option: Mapping[str, Any]
    shipping: int
    shipping_taxes: Sequence[TaxShare] = ()
    is_tax_included: bool = False

    @property
    def subtotal(self) -> int:
        """The goods before discount."""
        return sum(line.subtotal for line in self.lines)

    @property
    def discount(self) -> int:
        """What all lines are reduced by."""
        return sum(line.discount for line in self.lines)

    @property
    def shipping_tax(self) -> int:
        """The tax of the shipping, at every rate."""
        return sum_of(self.shipping_taxes)

    @property
    def tax(self) -> int:
        """The tax of goods and shipping."""
        return sum(line.tax for line in self.lines) + self.shipping_tax

    @property
    def total(self) -> int:
        """What the customer pays."""
        added_tax = 0 if self.is_tax_included else self.tax
        return self.subtotal - self.discount + self.shipping + added_tax


@dataclass(frozen=True, slots=True)
class PaymentSums:
    """What an order's payments add up to; `authorised` is neither captured nor voided."""

    authorised: int = 0
    captured: int = 0
    refunded: int = 0


def share(amount: int, *, part: int, whole: int) -> int:
    """The amount that belongs to the first `part` of `whole` pieces, rounded half up.

    Taking differences of it splits an amount so that the parts add up to the whole.
    """
    return (2 * amount * part + whole) // (2 * whole)

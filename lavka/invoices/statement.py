"""An order as its documents have to show it: rows with their taxes, and what went back."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from lavka.catalog.rules import name_with_options
from lavka.checkout.models import RefundClaim
from lavka.checkout.rules import SURPLUS
from lavka.invoices.rules import (
    SHIPPING,
    Account,
    Cause,
    Refund,
    Row,
    price_without_tax,
    without_tax,
)
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import OrderStatus
from lavka.payments.models import Operation
from lavka.payments.rules import GIVE_BACK, OperationKind, OperationState
from lavka.tax.rules import TaxShare

# Refunds that the shop begins by itself, and that make no order cheaper.
_BY_ITSELF = (f"{SURPLUS} ", f"{GIVE_BACK} ")


def account_of(order: Order) -> Account:
    """Everything about a placed order that its documents depend on; the caller holds its row."""
    with translation.override(order.language):
        rows = [
            *(_row(order, line) for line in order.lines.order_by("position")),
            *_shipping(order),
        ]
    return Account(
        rows=rows,
        is_cancelled=order.status == OrderStatus.CANCELLED,
        total=order.total_amount,
        captured=order.captured_amount,
        refunded=order.refunded_amount,
        refunds=refunds_of(order),
    )


def refunds_of(order: Order) -> list[Refund]:
    """What went back because somebody wanted it to, in the order in which it was claimed."""
    gone = _gone(order)
    refunds = [
        Refund(
            source=f"refund {claim.key}",
            cause=Cause.RETURN if claim.return_request_id else Cause.REFUND,
            amount=gone.pop(claim.key),
            pieces=claim.quantities,
            is_open=claim.state == RefundClaim.State.CLAIMED,
        )
        for claim in RefundClaim.objects.standing().filter(order=order).order_by("id")
        if claim.key in gone
    ]
    return refunds + [
        Refund(source=f"refund {key}", amount=amount)
        for key, amount in gone.items()
        if not key.startswith(_BY_ITSELF)
    ]


def _gone(order: Order) -> dict[str, int]:
    """What went back under each key of a caller."""
    refunded = Operation.objects.filter(
        payment__order=order, kind=OperationKind.REFUND, state=OperationState.SUCCEEDED
    )
    sums = refunded.order_by("key").values_list("key").annotate(Sum("amount"))
    return dict(sums)


def _row(order: Order, line: OrderLine) -> Row:
    taxes = _taxes(line.taxes, line.tax_amount, line.total_amount, order)
    contained = [tax["percent"] for tax in taxes] if order.is_tax_included else []
    net = line.total_amount - (line.tax_amount if order.is_tax_included else 0)
    return Row(
        line_id=str(line.pk),
        sku=line.sku,
        name=name_with_options(line.name, line.selected_options),
        quantity=line.quantity,
        unit_price=price_without_tax(line.unit_price_amount, order.currency, contained),
        discount=_without(line.discount_amount, contained),
        net=net,
        taxes=taxes,
    )


def _shipping(order: Order) -> list[Row]:
    if not order.shipping_amount:
        return []
    taxes = _taxes(order.shipping_taxes, order.shipping_tax_amount, order.shipping_amount, order)
    contained = [tax["percent"] for tax in taxes] if order.is_tax_included else []
    net = order.shipping_amount - (order.shipping_tax_amount if order.is_tax_included else 0)
    name = ": ".join(filter(None, [_("Shipping"), order.shipping_option.get("name", "")]))
    return [
        Row(
            line_id=SHIPPING,
            name=name,
            unit_price=price_without_tax(order.shipping_amount, order.currency, contained),
            net=net,
            taxes=taxes,
        )
    ]


def _taxes(taxes: Sequence[TaxShare], tax: int, amount: int, order: Order) -> Sequence[TaxShare]:
    """The taxes as they were sold; of an order from before rates were kept, the rate they imply."""
    if taxes:
        return taxes
    net = amount - tax if order.is_tax_included else amount
    percent = Decimal(100 * tax) / net if net else Decimal(0)
    shown = percent.quantize(Decimal("0.1"), ROUND_HALF_UP).normalize()
    return [{"percent": f"{shown:f}", "amount": tax}]


def _without(amount: int, percents: Sequence[str]) -> int:
    """A discount without the tax that it contains."""
    return int(without_tax(Decimal(amount), percents).quantize(Decimal(1), ROUND_HALF_UP))

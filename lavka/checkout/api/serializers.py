"""Quotes and checkouts on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.carts.api.serializers import CartTotalsOutput
from lavka.catalog.api.serializers import VariantDetailsOutput
from lavka.catalog.api.shapes import variant_details_json
from lavka.checkout.models import Quote
from lavka.kernel.money import Money
from lavka.orders.api.serializers import (
    MAX_LINES,
    LineQuantityInput,
    OrderOutput,
    order_json,
    quantities_of,
)
from lavka.orders.models import Order
from lavka.payments.api.serializers import ChangeInput, PaymentMeansInput
from lavka.payments.models import Payment
from lavka.payments.rules import PaymentStatus
from lavka.tax.rules import sum_of
from lavka.web.serializers import (
    Input,
    MoneyOutput,
    StrictUUIDField,
)


class CheckoutInput(Input):
    """The quote that the customer agrees to, and how they pay."""

    quote_id = StrictUUIDField()
    payment = PaymentMeansInput()


class RefundInput(ChangeInput):
    """An amount, or pieces of lines, or all that is left."""

    lines = LineQuantityInput(  # type: ignore[call-arg]
        many=True, allow_empty=False, required=False, max_length=MAX_LINES
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either, not both; a line may be named once."""
        lines = attrs.get("lines")
        if lines is not None and attrs.get("amount") is not None:
            raise serializers.ValidationError(_("Name an amount or lines, not both."))
        if lines is not None:
            attrs["lines"] = quantities_of(lines)
        return attrs


class QuoteLineOutput(VariantDetailsOutput):
    """One line as it would be ordered."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyOutput()
    discount = MoneyOutput()
    tax = MoneyOutput()
    total = MoneyOutput(help_text=_("Of all pieces, after discount, before a tax that is added."))


class QuoteOutput(Serializer):
    """What the cart comes to."""

    id = serializers.UUIDField()
    lines = QuoteLineOutput(many=True)
    totals = CartTotalsOutput()
    digest = serializers.CharField(help_text=_("The hash of what is agreed."))
    expires_at = serializers.DateTimeField()
    stock_held_until = serializers.DateTimeField(
        allow_null=True,
        help_text=_("Null: nobody keeps the stock for you, who pays first buys."),
    )


class CheckoutPaymentOutput(Serializer):
    """The payment; `action` says what the customer must do, as `{"type": "redirect", "url": …}`."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    action = serializers.DictField(allow_null=True, child=serializers.CharField())


class CheckoutOutput(Serializer):
    """The order, a draft until it is paid, and its payment, null when nothing was due."""

    order = OrderOutput()
    payment = CheckoutPaymentOutput(allow_null=True)


def quote_json(quote: Quote) -> dict[str, Any]:
    """`QuoteOutput`."""
    content = quote.content
    return {
        "id": quote.pk,
        "lines": [_line_json(line, quote.currency) for line in content["lines"]],
        "totals": _totals_json(quote),
        "digest": quote.digest,
        "expires_at": quote.expires_at,
        "stock_held_until": quote.stock_held_until,
    }


def checkout_json(order: Order, payment: Payment | None) -> dict[str, Any]:
    """`CheckoutOutput` of an order whose lines are loaded."""
    return {
        "order": order_json(order),
        "payment": payment
        and {"id": payment.pk, "status": payment.status, "action": payment.action},
    }


def _line_json(line: dict[str, Any], currency: str) -> dict[str, Any]:
    def money(amount: int) -> dict[str, int | str]:
        return Money(amount, currency).as_json()

    return {
        "variant_id": line["variant_id"],
        "sku": line["sku"],
        "name": line["name"],
        **variant_details_json(line["selected_options"], line["image"]),
        "quantity": line["quantity"],
        "unit_price": money(line["unit_price"]),
        "discount": money(line["discount"]),
        "tax": money(sum_of(line["taxes"])),
        "total": money(line["unit_price"] * line["quantity"] - line["discount"]),
    }


def _totals_json(quote: Quote) -> dict[str, Any]:
    content = quote.content
    lines = content["lines"]
    amounts = {
        "subtotal": sum(line["unit_price"] * line["quantity"] for line in lines),
        "discount": sum(line["discount"] for line in lines),
        "shipping": content["shipping"],
        "tax": sum(sum_of(line["taxes"]) for line in lines) + sum_of(content["shipping_taxes"]),
        "total": quote.total_amount,
    }
    totals = {name: Money(each, quote.currency).as_json() for name, each in amounts.items()}
    return totals | {"is_tax_included": content["is_tax_included"]}

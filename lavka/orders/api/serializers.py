"""Orders on the wire."""

from typing import Any
from uuid import UUID

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.addresses.api.serializers import PostalAddressOutput
from lavka.catalog.api.serializers import VariantDetailsOutput
from lavka.catalog.api.shapes import variant_details_json
from lavka.kernel.actors import ActorKind
from lavka.orders import tokens
from lavka.orders.models import Order, OrderEvent, OrderLine
from lavka.orders.rules import EventKind, OrderPaymentStatus, OrderStatus
from lavka.web.serializers import (
    Input,
    InstantField,
    MoneyOutput,
    StrictCharField,
    StrictIntegerField,
    StrictUUIDField,
)

MAX_QUANTITY = 100_000
# An order begins with as many lines as a cart holds, and edits may add some.
MAX_LINES = 200


class NoteInput(Input):
    """A note for the order's history."""

    text = StrictCharField(max_length=2000)


class CancelInput(Input):
    """Why an order is called off."""

    reason = StrictCharField(max_length=500, allow_blank=True, default="")


class PaymentDueInput(Input):
    """Until when an order is to be paid."""

    payment_due_at = InstantField(
        allow_null=True, help_text=_("Null: it waits without a deadline.")
    )


class LineQuantityInput(Input):
    """So many pieces of an order line."""

    line_id = StrictUUIDField()
    quantity = StrictIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )


class LineQuantitiesInput(Input):
    """Pieces of some of an order's lines."""

    lines = LineQuantityInput(many=True, allow_empty=False, max_length=MAX_LINES)  # type: ignore[call-arg]

    def validate_lines(self, lines: list[dict[str, Any]]) -> dict[UUID, int]:
        """Order line id → pieces."""
        return quantities_of(lines)


def quantities_of(lines: list[dict[str, Any]], key: str = "line_id") -> dict[UUID, int]:
    """What `key` names → pieces; raises ValidationError for what is named twice."""
    quantities = {line[key]: line["quantity"] for line in lines}
    if len(quantities) != len(lines):
        raise serializers.ValidationError(_("A line is named twice."), code="duplicate")
    return quantities


class OrderTotalsOutput(Serializer):
    """`total` is `subtotal` − `discount` + `shipping`, and `tax` unless prices include it."""

    subtotal = MoneyOutput()
    discount = MoneyOutput()
    shipping = MoneyOutput()
    tax = MoneyOutput()
    total = MoneyOutput()
    is_tax_included = serializers.BooleanField()


class OrderPaymentsOutput(Serializer):
    """What has moved so far; `authorised` is promised and not yet captured."""

    status = serializers.ChoiceField(choices=OrderPaymentStatus.choices)
    authorised = MoneyOutput()
    captured = MoneyOutput()
    refunded = MoneyOutput()


class OrderLineOutput(VariantDetailsOutput):
    """One thing as it was sold."""

    id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyOutput()
    discount = MoneyOutput()
    tax = MoneyOutput()
    total = MoneyOutput(help_text="Of all pieces, after discount, before a tax that is added.")
    fulfilled_quantity = serializers.IntegerField()
    returned_quantity = serializers.IntegerField()


class ShippingOptionOutput(Serializer):
    """How it is sent."""

    id = serializers.CharField()
    name = serializers.CharField()


class OrderContentOutput(Serializer):
    """An order, for everybody who may see it; it holds nothing that opens anything."""

    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    email = serializers.EmailField()
    lines = OrderLineOutput(many=True)
    totals = OrderTotalsOutput()
    payment = OrderPaymentsOutput()
    shipping_address = PostalAddressOutput()
    billing_address = PostalAddressOutput(allow_null=True)
    vat_number = serializers.CharField(help_text="The buyer's, or empty.")
    shipping_option = ShippingOptionOutput()
    placed_at = serializers.DateTimeField(allow_null=True)
    payment_due_at = serializers.DateTimeField(
        allow_null=True,
        help_text=_("Pay until then: an order that is not paid is cancelled. Null: no deadline."),
    )
    cancelled_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class OrderOutput(OrderContentOutput):
    """The customer's order; until it is paid `status` is `draft` and `number` is null.

    `key` is the customer's secret: the staff never see it.
    """

    key = serializers.CharField(help_text="Opens the order without an account: `?key=…`.")


class OrderEventOutput(Serializer):
    """An entry of an order's history."""

    kind = serializers.ChoiceField(choices=EventKind.choices)
    by = serializers.ChoiceField(choices=ActorKind.choices)
    actor = serializers.CharField(
        allow_null=True,
        help_text="The e-mail address of a person, or which key, provider, import or job.",
    )
    actor_id = serializers.UUIDField(allow_null=True, help_text="Of a person with an account.")
    details = serializers.DictField()
    happened_at = serializers.DateTimeField()


class ListedOrderOutput(OrderContentOutput):
    """An order in the staff's list."""

    customer_id = serializers.UUIDField(allow_null=True)


class ManagedOrderOutput(ListedOrderOutput):
    """An order as the staff see it."""

    history = OrderEventOutput(many=True)


def order_json(order: Order, key: str = "") -> dict[str, Any]:
    """`OrderOutput` of an order whose lines are loaded: for its customer alone.

    Whoever came with a key gets that one back: reading an order does not prolong its link.
    """
    return _content_json(order) | {"key": key or tokens.key_of(order.pk, order.link_version)}


def listed_order_json(order: Order) -> dict[str, Any]:
    """`ListedOrderOutput` of an order whose lines are loaded."""
    return _content_json(order) | {"customer_id": order.customer_id}


def _content_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "number": None if order.number is None else str(order.number),
        "status": order.status,
        "email": order.email,
        "lines": [line_json(order, line) for line in order.lines.all()],
        "totals": totals_json(order),
        "payment": {
            "status": order.payment_status,
            "authorised": order.money(order.authorised_amount).as_json(),
            "captured": order.money(order.captured_amount).as_json(),
            "refunded": order.money(order.refunded_amount).as_json(),
        },
        "shipping_address": order.shipping_address,
        "billing_address": order.billing_address,
        "vat_number": order.vat_number,
        "shipping_option": order.shipping_option,
        "placed_at": order.placed_at,
        "payment_due_at": order.payment_due_at,
        "cancelled_at": order.cancelled_at,
        "completed_at": order.completed_at,
    }


def totals_json(order: Order) -> dict[str, Any]:
    """`OrderTotalsOutput` of an order."""
    return {
        "subtotal": order.money(order.subtotal_amount).as_json(),
        "discount": order.money(order.discount_amount).as_json(),
        "shipping": order.money(order.shipping_amount).as_json(),
        "tax": order.money(order.tax_amount).as_json(),
        "total": order.total.as_json(),
        "is_tax_included": order.is_tax_included,
    }


def line_json(order: Order, line: OrderLine) -> dict[str, Any]:
    """`OrderLineOutput` of a line."""
    return {
        "id": line.pk,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        **variant_details_json(line.selected_options, line.image),
        "quantity": line.quantity,
        "unit_price": order.money(line.unit_price_amount).as_json(),
        "discount": order.money(line.discount_amount).as_json(),
        "tax": order.money(line.tax_amount).as_json(),
        "total": order.money(line.total_amount).as_json(),
        "fulfilled_quantity": line.fulfilled_quantity,
        "returned_quantity": line.returned_quantity,
    }


def managed_order_json(order: Order, history: list[OrderEvent]) -> dict[str, Any]:
    """`ManagedOrderOutput` of an order whose lines are loaded."""
    return listed_order_json(order) | {
        "history": [
            {
                "kind": entry.kind,
                "by": entry.actor_kind,
                "actor": entry.actor.email if entry.actor else entry.actor_name or None,
                "actor_id": entry.actor_id,
                "details": entry.details,
                "happened_at": entry.happened_at,
            }
            for entry in history
        ],
    }

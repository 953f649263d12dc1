"""Orders for tests."""

import uuid
from typing import Any

from django.utils import timezone

from lavka.catalog.models import Variant
from lavka.inventory import services as inventory
from lavka.orders import services
from lavka.orders.models import Order
from lavka.orders.rules import LineContent, OrderContent
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "line2": "",
    "city": "London",
    "region": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "phone": "",
}


def make_line(**overrides: Any) -> LineContent:
    fields: dict[str, Any] = {
        "variant_id": uuid.uuid4(),
        "product_id": uuid.uuid4(),
        "sku": "KETTLE-RED",
        "name": "Whistling kettle",
        "options": {"color": "red"},
        "selected_options": [
            {"code": "color", "name": "Color", "value": "red", "label": "Red"},
        ],
        "unit_price": 1299,
        "quantity": 2,
        "tax": 520,
    }
    fields |= overrides
    taxes = [{"percent": fields.pop("percent", "20"), "amount": fields.pop("tax")}]
    return LineContent(**{"taxes": taxes} | fields)


def make_content(*lines: LineContent, **overrides: Any) -> OrderContent:
    fields: dict[str, Any] = {
        "currency": "USD",
        "email": "ada@example.com",
        "lines": lines or (make_line(),),
        "shipping_address": ADDRESS,
        "shipping_option": {"id": "standard", "name": "Standard"},
        "shipping": 500,
        "shipping_tax": 100,
    }
    fields |= overrides
    taxes = [{"percent": "20", "amount": fields.pop("shipping_tax")}]
    return OrderContent(**{"shipping_taxes": taxes} | fields)


def make_draft(*lines: LineContent, customer: Any = None, **overrides: Any) -> Order:
    return services.draft_order(
        cart_id=overrides.pop("cart_id", None) or uuid.uuid4(),
        customer_id=customer and customer.pk,
        content=make_content(*lines, **overrides),
    )


def make_stocked_order(*quantities: int, on_hand: int = 10, **overrides: Any) -> Order:
    """A placed order with a line for each quantity, each of a variant of its own, allocated."""
    lines = [line_of(make_stock(on_hand), quantity) for quantity in quantities or (2,)]
    order = make_order(*lines, **overrides)
    inventory.allocate_reservation(
        holder=order.cart_id,
        order_id=order.pk,
        quantities={line.variant_id: line.quantity for line in lines},
        at=timezone.now(),
    )
    return order


def line_of(variant: Variant, quantity: int) -> LineContent:
    return make_line(
        variant_id=variant.pk, product_id=variant.product_id, sku=variant.sku, quantity=quantity
    )


def make_order(*lines: LineContent, **overrides: Any) -> Order:
    """A placed order of a guest, or of `customer`."""
    draft = make_draft(*lines, **overrides)
    return services.place_order(order_id=draft.pk, actor=SYSTEM, at=timezone.now())

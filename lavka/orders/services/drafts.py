"""Drafts: what a checkout writes down before money moves."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from lavka.kernel import clock, rows
from lavka.orders.errors import AlreadyPlaced
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import LineContent, OrderContent, OrderStatus
from lavka.tax.rules import shares_to_keep


@rows.Compiled
def _order_of_cart(cart_id: UUID) -> QuerySet[Order]:
    return Order.objects.locked().filter(cart_id=cart_id)


@transaction.atomic
def draft_order(*, cart_id: UUID, customer_id: UUID | None, content: OrderContent) -> Order:
    """Write a cart's one draft, or write it anew; the caller holds the cart's row.

    Raises: AlreadyPlaced, with `order`. Locks: the draft.
    """
    order = _order_of_cart.first(cart_id) or Order(cart_id=cart_id, created_at=clock.now())
    if order.status != OrderStatus.DRAFT:
        raise AlreadyPlaced(order=str(order.pk))
    is_written_anew = not order._state.adding
    order.customer_id = customer_id
    fill(order, content)
    if is_written_anew:
        order.save()
        order.lines.all().delete()
    else:
        rows.insert(order)
    rows.insert_all([line_of(order, line, position) for position, line in enumerate(content.lines)])
    return order


@transaction.atomic
def forget_drafts(*, order_ids: Collection[UUID]) -> int:
    """Delete drafts with their lines; returns how many drafts there were.

    Raises: ProtectedError, for one that has a payment or a history.
    """
    _rows, by_model = Order.objects.drafts().filter(pk__in=order_ids).delete()
    return by_model.get(Order._meta.label, 0)


def fill(order: Order, content: OrderContent) -> None:
    """Copy what was agreed into an order's own columns."""
    order.email, order.language = content.email, content.language
    order.vat_number = content.vat_number
    order.currency, order.is_tax_included = content.currency, content.is_tax_included
    order.subtotal_amount, order.discount_amount = content.subtotal, content.discount
    order.shipping_amount, order.shipping_tax_amount = content.shipping, content.shipping_tax
    order.shipping_taxes = shares_to_keep(content.shipping_taxes)
    order.tax_amount, order.total_amount = content.tax, content.total
    order.line_count = len(content.lines)
    order.piece_count = sum(line.quantity for line in content.lines)
    order.shipping_address = dict(content.shipping_address)
    billing = content.billing_address
    order.billing_address = None if billing is None else dict(billing)
    order.shipping_option = dict(content.shipping_option)


def line_of(order: Order, line: LineContent, position: int) -> OrderLine:
    """An unsaved order line that copies what was sold."""
    return OrderLine(
        order=order,
        position=position,
        variant_id=line.variant_id,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        options=dict(line.options),
        selected_options=list(line.selected_options),
        image=line.image,
        unit_price_amount=line.unit_price,
        quantity=line.quantity,
        discount_amount=line.discount,
        tax_amount=line.tax,
        taxes=shares_to_keep(line.taxes),
    )

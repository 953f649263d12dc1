"""The steps of an order's life: placed, shipped, completed, cancelled."""

import datetime
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from lavka.inventory import services as inventory
from lavka.kernel import rows
from lavka.kernel.actors import Actor, in_name_of
from lavka.kernel.errors import FieldError, Invalid
from lavka.orders.errors import MoreThanLeft, OrderInTheWrongState, UnknownLine
from lavka.orders.events import OrderCancelled, OrderCompleted, OrderFulfilled, OrderPlaced
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import EventKind, OrderStatus, sources_of
from lavka.orders.services.history import announce_order, record_event

ORDER_NUMBERS = "orders"


@rows.Compiled
def locked_order(order_id: UUID) -> QuerySet[Order]:
    """The order, a draft too. Locks: the order."""
    return Order.objects.locked().filter(pk=order_id)


@in_name_of
@transaction.atomic
def place_order(
    *,
    order_id: UUID,
    actor: Actor,
    at: datetime.datetime,
    payment_due_at: datetime.datetime | None = None,
) -> Order:
    """Make an order of a draft and give it the next number; a placed order is returned as it is.

    One that waits for its money is to be paid until `payment_due_at`.
    Raises: Order.DoesNotExist.
    Locks: the order; last of all the series of numbers, until the caller's transaction ends, so
    numbers have no gaps and come in the order of the commits.
    Emits: OrderPlaced, once.
    """
    order = locked_order.get(order_id)
    if order.status != OrderStatus.DRAFT:
        return order
    record_event(order_id=order.pk, kind=EventKind.PLACED, actor=actor, at=at)
    order.status, order.placed_at = OrderStatus.PLACED, at
    order.number, order.payment_due_at = next_number(ORDER_NUMBERS), payment_due_at
    rows.update(order, "status", "placed_at", "number", "payment_due_at", "updated_at")
    announce_order(OrderPlaced, order)
    return order


@in_name_of
@transaction.atomic
def cancel_order(*, order_id: UUID, actor: Actor, at: datetime.datetime, reason: str = "") -> Order:
    """Call an order off before anything is shipped; a cancelled order is returned as it is.

    What it holds of the stock can be bought again at once; its money goes back by the event.
    Raises: Order.DoesNotExist; OrderInTheWrongState.
    Locks: the order, its allocations, their levels. Emits: OrderCancelled, once.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    if order.status == OrderStatus.CANCELLED:
        return order
    require_next(order, OrderStatus.CANCELLED)
    order.status, order.cancelled_at = OrderStatus.CANCELLED, at
    order.save(update_fields=["status", "cancelled_at", "updated_at"])
    inventory.release_allocation(order_id=order.pk)
    record_event(order_id=order.pk, kind=EventKind.CANCELLED, actor=actor, at=at, reason=reason)
    announce_order(OrderCancelled, order)
    return order


@in_name_of
@transaction.atomic
def set_payment_due(
    *, order_id: UUID, due_at: datetime.datetime | None, actor: Actor, at: datetime.datetime
) -> Order:
    """Say until when an order is to be paid; None lets it wait without a deadline.

    Raises: Order.DoesNotExist; OrderInTheWrongState, for one that was sent or cancelled; Invalid,
    for an instant that has passed. Locks: the order.
    """
    if due_at is not None and due_at <= at:
        detail = _("This instant is in the past.")
        raise Invalid(errors=[FieldError("#/payment_due_at", "in_the_past", detail)])
    order = Order.objects.placed().locked().get(pk=order_id)
    require_next(order, OrderStatus.CANCELLED)  # as long as it may be called off
    order.payment_due_at = due_at
    order.save(update_fields=["payment_due_at", "updated_at"])
    record_event(order_id=order.pk, kind=EventKind.PAYMENT_DUE, actor=actor, at=at, due_at=due_at)
    return order


@in_name_of
@transaction.atomic
def fulfil_lines(
    *, order_id: UUID, quantities: Mapping[UUID, int], actor: Actor, at: datetime.datetime
) -> Order:
    """Count pieces (order line id → pieces > 0) as shipped, and let them leave the warehouse.

    Raises: Order.DoesNotExist; OrderInTheWrongState; UnknownLine; MoreThanLeft, with
    `line` and `left`; NotOnHand.
    Locks: the order, its allocations, their levels. Emits: OrderFulfilled, with the last piece.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    require_next(order, OrderStatus.FULFILLED)
    lines = lines_of(order, quantities)
    for line in lines:
        if quantities[line.pk] > line.unfulfilled_quantity:
            raise MoreThanLeft(line=str(line.pk), left=line.unfulfilled_quantity)
        line.fulfilled_quantity += quantities[line.pk]
        line.save(update_fields=["fulfilled_quantity"])
    inventory.ship_allocation(
        order_id=order.pk,
        quantities=by_variant(lines, quantities),
        actor=actor,
        reference=str(order.number),
    )
    has_all = not any(line.unfulfilled_quantity for line in order.lines.all())
    order.status = OrderStatus.FULFILLED if has_all else OrderStatus.PARTIALLY_FULFILLED
    order.save(update_fields=["status", "updated_at"])
    if has_all:
        announce_order(OrderFulfilled, order)
    return order


@in_name_of
@transaction.atomic
def complete_order(*, order_id: UUID, actor: Actor, at: datetime.datetime) -> Order:
    """Close an order that is shipped and paid; any other is returned as it is.

    Raises: Order.DoesNotExist. Locks: the order. Emits: OrderCompleted, once.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    is_paid = order.captured_amount >= order.total_amount
    if order.status not in sources_of(OrderStatus.COMPLETED) or not is_paid:
        return order
    order.status, order.completed_at = OrderStatus.COMPLETED, at
    order.save(update_fields=["status", "completed_at", "updated_at"])
    record_event(order_id=order.pk, kind=EventKind.COMPLETED, actor=actor, at=at)
    announce_order(OrderCompleted, order)
    return order


@in_name_of
@transaction.atomic
def take_back_lines(
    *,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    restock: bool,
    actor: Actor,
) -> None:
    """Count shipped pieces (order line id → pieces > 0) as returned, and put them on the shelf.

    Without `restock` nobody can buy them again.
    Raises: Order.DoesNotExist; UnknownLine; MoreThanLeft, with `line` and `left`.
    Locks: the order, its allocations, their levels.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    lines = lines_of(order, quantities)
    for line in lines:
        left = line.fulfilled_quantity - line.returned_quantity
        if quantities[line.pk] > left:
            raise MoreThanLeft(line=str(line.pk), left=left)
        line.returned_quantity += quantities[line.pk]
        line.save(update_fields=["returned_quantity"])
    inventory.return_stock(
        order_id=order.pk,
        quantities=by_variant(lines, quantities),
        restock=restock,
        actor=actor,
        reference=str(order.number),
    )


def require_next(order: Order, status: OrderStatus) -> None:
    """Raises OrderInTheWrongState, with `order` and `status`, unless `status` may come next."""
    if order.status not in sources_of(status):
        raise OrderInTheWrongState(order=str(order.pk), status=order.status)


def lines_of(order: Order, quantities: Mapping[UUID, int]) -> list[OrderLine]:
    """The named lines of a locked order; raises UnknownLine for any other."""
    lines = list(order.lines.filter(pk__in=quantities.keys()).order_by("position"))
    if len(lines) != len(quantities):
        raise UnknownLine.among(order.lines.order_by("position").values_list("pk", flat=True))
    return lines


def by_variant(lines: list[OrderLine], quantities: Mapping[UUID, int]) -> dict[UUID, int]:
    """Pieces per variant, as the stock counts them: a variant may be on several lines."""
    pieces: dict[UUID, int] = {}
    for line in lines:
        pieces[line.variant_id] = pieces.get(line.variant_id, 0) + quantities[line.pk]
    return pieces


_NEXT_NUMBER = """
INSERT INTO orders_numberseries AS series (name, last) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET last = series.last + 1 RETURNING last
"""


def next_number(series: str) -> int:
    """Take the next number; whoever else wants one waits for this transaction to end.

    A transaction that fails gives its number back, so a series has no gaps.
    """
    return int(rows.fetch_one(_NEXT_NUMBER, [series])[0])

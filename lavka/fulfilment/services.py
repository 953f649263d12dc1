"""Every write of shipments and returns; each locks its order first, then itself."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from lavka.fulfilment.errors import NothingToReturn, ReturnInTheWrongState
from lavka.fulfilment.events import ReturnChanged, ShipmentSent
from lavka.fulfilment.models import ReturnLine, ReturnRequest, Shipment, ShipmentLine
from lavka.fulfilment.rules import ON_THE_WAY, ReturnStatus, ShipmentStatus, may_follow
from lavka.kernel import events
from lavka.kernel.actors import Actor, in_name_of
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.orders.rules import EventKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """What is handed to the carrier: `quantities` maps order line ids to pieces > 0."""

    quantities: Mapping[UUID, int]
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnWish:
    """What a customer wants to send back: `quantities` maps order line ids to pieces > 0."""

    quantities: Mapping[UUID, int]
    reason: str
    comment: str = ""


@in_name_of
@transaction.atomic
def send_shipment(
    *, order_id: UUID, parcel: Parcel, actor: Actor, at: datetime.datetime
) -> Shipment:
    """Hand pieces of an order to the carrier; with the last of them the order is fulfilled.

    Raises: Order.DoesNotExist; UnknownLine; OrderInTheWrongState; MoreThanLeft;
    NotOnHand. Locks: the order, its stock. Emits: ShipmentSent, OrderFulfilled.
    """
    order = orders.fulfil_lines(order_id=order_id, quantities=parcel.quantities, actor=actor, at=at)
    shipment = Shipment.objects.create(
        order=order,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
        sent_at=at,
    )
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=shipment, order_line_id=line_id, quantity=quantity)
        for line_id, quantity in parcel.quantities.items()
    )
    orders.record_event(
        order_id=order.pk, kind=EventKind.SHIPPED, actor=actor, at=at, shipment=shipment.pk
    )
    events.publish(
        ShipmentSent(
            shipment_id=shipment.pk,
            order_id=order.pk,
            order_number=order.number,
            order_status=order.status,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            piece_count=sum(parcel.quantities.values()),
        )
    )
    return shipment


@in_name_of
@transaction.atomic
def mark_delivered(*, shipment_id: UUID, actor: Actor, at: datetime.datetime) -> Shipment:
    """Note that a parcel arrived; with the last one of a paid order the order is completed.

    Raises: Shipment.DoesNotExist. Locks: the order. Emits: OrderCompleted.
    """
    shipment = Shipment.objects.get(pk=shipment_id)
    order = Order.objects.locked().get(pk=shipment.order_id)
    arrived = Shipment.objects.filter(pk=shipment_id, status=ShipmentStatus.SENT)
    if arrived.update(status=ShipmentStatus.DELIVERED, delivered_at=at):
        orders.record_event(
            order_id=order.pk, kind=EventKind.DELIVERED, actor=actor, at=at, shipment=shipment_id
        )
        if not order.shipments.filter(status=ShipmentStatus.SENT).exists():
            orders.complete_order(order_id=order.pk, actor=actor, at=at)
    shipment.refresh_from_db()
    return shipment


@in_name_of
@transaction.atomic
def request_return(
    *,
    order_id: UUID,
    wish: ReturnWish,
    actor: Actor,
    at: datetime.datetime,
) -> ReturnRequest:
    """Ask to send shipped pieces of an order back.

    Raises: Order.DoesNotExist; UnknownLine; NothingToReturn, with `line` and `left`.
    Locks: the order. Emits: ReturnChanged.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    _require_returnable(order, wish.quantities)
    asked = ReturnRequest.objects.create(
        order=order, reason=wish.reason, comment=wish.comment, requested_at=at
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(return_request=asked, order_line_id=line_id, quantity=quantity)
        for line_id, quantity in wish.quantities.items()
    )
    _tell_of_return(asked, EventKind.RETURN_REQUESTED, actor, at)
    return asked


@in_name_of
@transaction.atomic
def decide_return(
    *, return_id: UUID, is_approved: bool, actor: Actor, at: datetime.datetime
) -> ReturnRequest:
    """Approve a return, or refuse it; the same decision twice changes nothing.

    Raises: ReturnRequest.DoesNotExist; ReturnInTheWrongState.
    Locks: the order. Emits: ReturnChanged.
    """
    asked = _lock_return(return_id)
    status = ReturnStatus.APPROVED if is_approved else ReturnStatus.REFUSED
    if asked.status == status:
        return asked
    _move(asked, status)
    asked.decided_at = at
    asked.save(update_fields=["status", "decided_at", "updated_at"])
    kind = EventKind.RETURN_APPROVED if is_approved else EventKind.RETURN_REFUSED
    _tell_of_return(asked, kind, actor, at)
    return asked


@in_name_of
@transaction.atomic
def receive_return(
    *, return_id: UUID, restock: bool, actor: Actor, at: datetime.datetime
) -> ReturnRequest:
    """Note that the pieces of an approved return came, once; `restock` puts them on the shelf.

    Raises: ReturnRequest.DoesNotExist; ReturnInTheWrongState.
    Locks: the order, its stock. Emits: ReturnChanged.
    """
    asked = _lock_return(return_id)
    if asked.status in {ReturnStatus.RECEIVED, ReturnStatus.REFUNDED}:
        return asked
    _move(asked, ReturnStatus.RECEIVED)
    asked.received_at, asked.is_restocked = at, restock
    asked.save(update_fields=["status", "received_at", "is_restocked", "updated_at"])
    quantities = dict(asked.lines.values_list("order_line_id", "quantity"))
    orders.take_back_lines(
        order_id=asked.order_id, quantities=quantities, restock=restock, actor=actor
    )
    _tell_of_return(asked, EventKind.RETURN_RECEIVED, actor, at)
    return asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """What is to be paid back for a return: order line id → pieces."""

    order_id: UUID
    quantities: Mapping[UUID, int]


@transaction.atomic
def claim_refund(*, return_id: UUID) -> Refund | None:
    """Take it upon the caller to refund a received return; None when somebody did.

    Raises: ReturnRequest.DoesNotExist; ReturnInTheWrongState. Locks: the order.
    """
    asked = _lock_return(return_id)
    if asked.status == ReturnStatus.REFUNDED:
        return None
    _move(asked, ReturnStatus.REFUNDED)
    asked.save(update_fields=["status", "updated_at"])
    quantities = dict(asked.lines.values_list("order_line_id", "quantity"))
    return Refund(order_id=asked.order_id, quantities=quantities)


@transaction.atomic
def unclaim_refund(*, return_id: UUID) -> None:
    """Give a claim back whose money did not go.

    Raises: ReturnRequest.DoesNotExist. Locks: the order.
    """
    _lock_return(return_id)
    refunded = ReturnRequest.objects.filter(pk=return_id, status=ReturnStatus.REFUNDED)
    refunded.update(status=ReturnStatus.RECEIVED)


def _require_returnable(order: Order, quantities: Mapping[UUID, int]) -> None:
    lines = orders.lines_of(order, quantities)
    coming = dict(
        ReturnLine.objects.filter(order_line__in=lines, return_request__status__in=ON_THE_WAY)
        .values_list("order_line_id")
        .annotate(Sum("quantity"))
    )
    for line in lines:
        left = line.fulfilled_quantity - line.returned_quantity - coming.get(line.pk, 0)
        if quantities[line.pk] > left:
            raise NothingToReturn(line=str(line.pk), left=left)


def _lock_return(return_id: UUID) -> ReturnRequest:
    """A return whose order is locked, so that nobody else moves it."""
    order_id = ReturnRequest.objects.values_list("order_id", flat=True).get(pk=return_id)
    order = Order.objects.locked().get(pk=order_id)
    asked = ReturnRequest.objects.get(pk=return_id)
    asked.order = order
    return asked


def _move(asked: ReturnRequest, status: ReturnStatus) -> None:
    if not may_follow(asked.status, status):
        raise ReturnInTheWrongState(return_request=str(asked.pk), status=asked.status)
    asked.status = status


def _tell_of_return(
    asked: ReturnRequest, kind: EventKind, actor: Actor, at: datetime.datetime
) -> None:
    orders.record_event(
        order_id=asked.order_id, kind=kind, actor=actor, at=at, return_request=asked.pk
    )
    events.publish(
        ReturnChanged(
            return_id=asked.pk,
            order_id=asked.order_id,
            order_number=asked.order.number,
            status=str(asked.status),
            reason=asked.reason,
            piece_count=sum(asked.lines.values_list("quantity", flat=True)),
        )
    )

"""What happened to an order, written down with its actor."""

import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from lavka.kernel import events, rows
from lavka.kernel.actors import Actor, in_name_of
from lavka.orders.events import OrderChanged
from lavka.orders.models import Order, OrderEvent
from lavka.orders.rules import EventKind


def record_event(
    *, order_id: UUID, kind: EventKind, actor: Actor, at: datetime.datetime, **details: Any
) -> None:
    """Append an entry to an order's history, in the transaction of what it tells.

    One statement, so it needs no savepoint there.
    """
    entry = OrderEvent(
        order_id=order_id,
        kind=kind,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=actor.name or str("" if actor.user_id else actor.id or ""),
        details=details,
        happened_at=at,
    )
    rows.insert(entry)


def announce_order(event: type[OrderChanged], order: Order) -> None:
    """Say that this happened to an order, which stands as it says."""
    events.publish(
        event(
            order_id=order.pk,
            number=order.number,
            status=order.status,
            payment_status=order.payment_status,
            total=order.total,
            customer_id=order.customer_id,
            line_count=order.line_count,
            piece_count=order.piece_count,
        )
    )


@in_name_of
@transaction.atomic
def revoke_links(*, order_id: UUID, actor: Actor, at: datetime.datetime) -> None:
    """Make every link to an order worthless; mails from now on carry a new one.

    Raises: Order.DoesNotExist. Locks: the order.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    order.link_version += 1
    order.save(update_fields=["link_version", "updated_at"])
    record_event(order_id=order.pk, kind=EventKind.LINKS_REVOKED, actor=actor, at=at)


@in_name_of
@transaction.atomic
def add_note(*, order_id: UUID, text: str, actor: Actor, at: datetime.datetime) -> None:
    """Write a note of the staff into an order's history; raises Order.DoesNotExist."""
    order = Order.objects.placed().locked().get(pk=order_id)
    record_event(order_id=order.pk, kind=EventKind.NOTE, actor=actor, at=at, text=text)

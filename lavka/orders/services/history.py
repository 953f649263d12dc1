"""What happened to an order, written down with its actor."""

import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from lavka.kernel import rows
from lavka.kernel.actors import Actor, in_name_of
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


@in_name_of
@transaction.atomic
def add_note(*, order_id: UUID, text: str, actor: Actor, at: datetime.datetime) -> None:
    """Write a note of the staff into an order's history; raises Order.DoesNotExist."""
    order = Order.objects.placed().locked().get(pk=order_id)
    record_event(order_id=order.pk, kind=EventKind.NOTE, actor=actor, at=at, text=text)

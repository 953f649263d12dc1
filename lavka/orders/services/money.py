"""The sums that an order keeps of its payments."""

import datetime
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from lavka.kernel import rows
from lavka.kernel.actors import Actor, in_name_of
from lavka.kernel.money import Money
from lavka.orders.errors import MoreThanLeft
from lavka.orders.models import Order
from lavka.orders.rules import EventKind, PaymentSums, share
from lavka.orders.services.history import record_event
from lavka.orders.services.lifecycle import lines_of, locked_order


@in_name_of
@transaction.atomic
def record_payments(
    *, order_id: UUID, sums: PaymentSums, actor: Actor, at: datetime.datetime
) -> None:
    """Keep what an order's payments add up to, and write down what changed; twice changes nothing.

    The caller reads `sums` from the payments while it holds the order's row, so that an older
    reading never follows a newer one.
    Raises: Order.DoesNotExist; IntegrityError, for sums that no order may have.
    Locks: the order.
    """
    order = locked_order.get(order_id)
    kept = PaymentSums(order.authorised_amount, order.captured_amount, order.refunded_amount)
    if sums == kept:
        return
    order.authorised_amount = sums.authorised
    order.captured_amount, order.refunded_amount = sums.captured, sums.refunded
    rows.update(order, "authorised_amount", "captured_amount", "refunded_amount", "updated_at")
    for kind, amount in _changes(kept, sums):
        money = order.money(amount).as_json()
        record_event(order_id=order_id, kind=kind, actor=actor, at=at, amount=money)


@transaction.atomic
def claim_refund(*, order_id: UUID, quantities: Mapping[UUID, int]) -> Money:
    """Count pieces (order line id → pieces > 0) as refunded, and say what they cost.

    That is their share of the line after discount, with a tax that was added; the shares of all
    pieces add up to the line. Who cannot pay it out calls `unclaim_refund`.
    Raises: Order.DoesNotExist; UnknownLine; MoreThanLeft, with `line` and `left`.
    Locks: the order.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    amount = 0
    for line in lines_of(order, quantities):
        pieces, before = quantities[line.pk], line.refunded_quantity
        if pieces > line.quantity - before:
            raise MoreThanLeft(line=str(line.pk), left=line.quantity - before)
        paid = line.total_amount + (0 if order.is_tax_included else line.tax_amount)
        line.refunded_quantity = before + pieces
        amount += share(paid, part=before + pieces, whole=line.quantity)
        amount -= share(paid, part=before, whole=line.quantity)
        line.save(update_fields=["refunded_quantity"])
    return order.money(amount)


@transaction.atomic
def unclaim_refund(*, order_id: UUID, quantities: Mapping[UUID, int]) -> None:
    """Take a claim back whose money did not go. Raises: Order.DoesNotExist. Locks: the order."""
    order = Order.objects.placed().locked().get(pk=order_id)
    for line in lines_of(order, quantities):
        line.refunded_quantity -= quantities[line.pk]
        line.save(update_fields=["refunded_quantity"])


def _changes(kept: PaymentSums, sums: PaymentSums) -> list[tuple[EventKind, int]]:
    """What moved between two readings; what left the authorised was captured, or else voided."""
    captured = sums.captured - kept.captured
    moved = [
        (EventKind.AUTHORISED, sums.authorised - kept.authorised),
        (EventKind.CAPTURED, captured),
        (EventKind.REFUNDED, sums.refunded - kept.refunded),
        (EventKind.VOIDED, kept.authorised - sums.authorised - captured),
    ]
    return [(kind, amount) for kind, amount in moved if amount > 0]

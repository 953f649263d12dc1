"""The ledger: what moved, and what customers owe."""

import datetime
from uuid import UUID

from django.db import transaction

from lavka.kernel import rows
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments import selectors
from lavka.payments.models import LedgerEntry, Operation, Payment
from lavka.payments.rules import MOVES, Account
from lavka.payments.rules import OperationKind as Kind


@transaction.atomic
def enter_sale(*, order_id: UUID, at: datetime.datetime) -> None:
    """Bring what the ledger says was sold in line with the order; twice changes nothing.

    A placed order was sold for its total. Of a cancelled one only what was captured counts, as the
    refund stands against it.
    Raises: Order.DoesNotExist. Locks: the order.
    """
    order = Order.objects.locked().get(pk=order_id)
    entered = -selectors.balance_of(Account.SALES, order=order).get(order.currency, 0)
    missing = _sold(order) - entered
    if missing == 0:
        return
    source, target = Account.SALES, Account.RECEIVABLE
    if missing < 0:
        source, target = target, source
    number = LedgerEntry.objects.filter(order=order, payment=None).count() + 1
    LedgerEntry.objects.create(
        order=order,
        key=f"{order_id} sale {number}",
        source=source,
        target=target,
        amount=abs(missing),
        currency=order.currency,
        entered_at=at,
    )


def move_money(payment: Payment, operation: Operation, kind: Kind, at: datetime.datetime) -> None:
    """Enter a capture or refund; its key is unique, so it cannot be entered twice."""
    source, target = MOVES[kind]
    entry = LedgerEntry(
        order_id=payment.order_id,
        payment=payment,
        key=f"{operation.pk} {kind}",
        source=source,
        target=target,
        amount=operation.amount,
        currency=payment.currency,
        entered_at=at,
    )
    rows.insert(entry)


def _sold(order: Order) -> int:
    if order.status == OrderStatus.DRAFT:
        return 0
    is_cancelled = order.status == OrderStatus.CANCELLED
    return order.captured_amount if is_cancelled else order.total_amount

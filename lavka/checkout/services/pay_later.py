"""Orders that are placed without money: how much may wait, and for how long.

They are paid later, or there is nothing to pay.
"""

import datetime
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from lavka.accounts.rules import mailbox_digest, normal_email
from lavka.checkout.errors import FreeOrderRefused, PayLaterRefused
from lavka.checkout.models import UnpaidOrder
from lavka.inventory import services as inventory
from lavka.kernel import locks, rows
from lavka.kernel.actors import Actor, in_name_of
from lavka.kernel.conf import options
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.orders.rules import PAYMENT_OVERDUE, OrderStatus
from lavka.payments import services as payments
from lavka.payments.selectors import is_promised

# A draft that was not placed by then is none any more.
DRAFT_COUNTS = datetime.timedelta(minutes=30)
# Orders of strangers count for the network that they came from for so long, since it is shared.
NETWORK_COUNTS = datetime.timedelta(days=1)
# So long the units of an order count where orders may wait for ever.
DAYS_WITHOUT_DEADLINE = 365

_LOCK_CLASS = 7_305_933
# What was cancelled waits no more, but its network had the shop write to somebody.
_WAITING = """
SELECT count(*) FILTER (WHERE unpaid.mailbox = %s AND placed.status <> 'cancelled'),
    count(*) FILTER (
        WHERE unpaid.address = %s AND NOT unpaid.is_trusted AND unpaid.created_at > %s
    )
FROM checkout_unpaidorder AS unpaid JOIN orders_order AS placed ON placed.id = unpaid.order_id
WHERE (unpaid.mailbox = %s OR unpaid.address = %s) AND placed.id <> %s
    AND placed.captured_amount = 0
    AND (
        placed.status IN ('placed', 'cancelled')
        OR placed.status = 'draft' AND unpaid.created_at > %s
    )
"""
_NOTE = """
INSERT INTO checkout_unpaidorder (order_id, mailbox, address, is_trusted, created_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (order_id) DO UPDATE SET mailbox = excluded.mailbox, address = excluded.address,
    is_trusted = excluded.is_trusted, created_at = excluded.created_at
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Debtor:
    """Who orders without money: whose mailbox, and from where.

    `is_trusted` is a customer who has proved that the mailbox is theirs.
    """

    mailbox: str
    address: str
    is_trusted: bool


def debtor_of(order: Order, address: str) -> Debtor:
    """Who orders: 1 query for a customer."""
    owners = get_user_model().objects.filter(
        email=normal_email(order.email), email_verified_at__isnull=False
    )
    customer_id = order.customer_id
    return Debtor(
        mailbox=mailbox_digest(order.email),
        address=address,
        is_trusted=customer_id is not None and owners.filter(pk=customer_id).exists(),
    )


def require_budget(order: Order, debtor: Debtor, at: datetime.datetime) -> None:
    """Count an order among those that were placed without money, or refuse it.

    Raises: what `refusal_of` gives. Locks: the budgets of mailbox and address, until the
    transaction ends.
    """
    lock_budgets(debtor)
    of_mailbox, of_address = count_waiting(order, debtor, at)
    budget = options.unpaid_orders
    most = budget["customer" if debtor.is_trusted else "stranger"]
    is_stranger_known = bool(debtor.address) and not debtor.is_trusted
    if most and of_mailbox >= most:
        raise refusal_of(order)
    if is_stranger_known and budget["address"] and of_address >= budget["address"]:
        raise refusal_of(order)
    rows.execute(_NOTE, [order.pk, debtor.mailbox, debtor.address, debtor.is_trusted, at])


def refusal_of(order: Order) -> PayLaterRefused | FreeOrderRefused:
    """How an order without money is refused: it is to be paid later, or there is nothing to pay."""
    return PayLaterRefused() if order.total_amount else FreeOrderRefused()


def count_waiting(order: Order, debtor: Debtor, at: datetime.datetime) -> tuple[int, int]:
    """How many other orders came without money: of the mailbox, and of strangers there.

    Of the mailbox those that still wait to be paid or sent, there those of a day.
    """
    mailbox, address = debtor.mailbox, debtor.address
    parameters = [mailbox, address, at - NETWORK_COUNTS, mailbox, address, order.pk]
    of_mailbox, of_address = rows.fetch_one(_WAITING, [*parameters, at - DRAFT_COUNTS])
    return of_mailbox, of_address


def lock_budgets(debtor: Debtor) -> None:
    """Let nobody else count for this mailbox or address until the transaction ends."""
    names = ["mailbox " + debtor.mailbox, "address " + debtor.address]
    locks.lock_names(_LOCK_CLASS, names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Until when an order is to be paid, and its units count against its buyer's limits."""

    due_at: datetime.datetime | None = None
    counts_until: datetime.datetime | None = None


def terms_of(order: Order, at: datetime.datetime) -> Terms:
    """How an order that is placed now may wait for its money: no query, if that is there."""
    is_free = not order.total_amount
    if not is_free and (order.captured_amount >= order.total_amount or not is_promised(order.pk)):
        return Terms()
    until = at + _time_to_pay()
    has_deadline = options.unpaid_orders_kept_days and not is_free
    is_counted = UnpaidOrder.objects.filter(order=order).exists()
    return Terms(due_at=until if has_deadline else None, counts_until=until if is_counted else None)


@in_name_of
@transaction.atomic
def cancel_unpaid(*, order_id: UUID, actor: Actor, at: datetime.datetime) -> list[UUID] | None:
    """Cancel an order whose money did not come in time; one that is being paid stays.

    Returns the ids of payments that hold a promise to be given back; None, when the order stays.
    Raises: Order.DoesNotExist. Locks: the order, its payments, its allocations, their levels.
    Emits: OrderCancelled.
    """
    order = orders.locked_order.get(order_id)
    is_overdue = Order.objects.overdue(at).filter(pk=order.pk).exists()
    if not is_overdue or payments.is_being_captured(order_id=order.pk):
        return None
    orders.cancel_order(order_id=order.pk, actor=actor, at=at, reason=PAYMENT_OVERDUE)
    forget_unpaid(order_id=order.pk)
    return payments.abandon_payments(order_id=order.pk, actor=actor, at=at)


@transaction.atomic
def forget_draft(*, order_id: UUID) -> None:
    """A draft is paid otherwise, or anew; what its buyer had held still counts."""
    UnpaidOrder.objects.filter(order=order_id).delete()


@transaction.atomic
def forget_unpaid(*, order_id: UUID) -> None:
    """An order waits for its money no more: it counts against nobody's budget or limits.

    One of a stranger that was cancelled goes on counting for its network, until `purge_unpaid`.
    """
    waiting = UnpaidOrder.objects.filter(order=order_id)
    holder = waiting.values_list("order__cart_id", flat=True).first()
    if holder is not None:
        inventory.forget_usage(holder=holder)
        waiting.exclude(is_trusted=False, order__status=OrderStatus.CANCELLED).delete()


@transaction.atomic
def purge_unpaid(*, at: datetime.datetime) -> int:
    """Forget what counts against no budget any more; returns how many orders.

    An order for nothing counts for as long as others may wait for their money.
    """
    cancelled = Q(order__status=OrderStatus.CANCELLED, created_at__lte=at - NETWORK_COUNTS)
    free = Q(order__total_amount=0, created_at__lte=at - _time_to_pay())
    return UnpaidOrder.objects.filter(cancelled | free).delete()[0]


def _time_to_pay() -> datetime.timedelta:
    return datetime.timedelta(days=options.unpaid_orders_kept_days or DAYS_WITHOUT_DEADLINE)

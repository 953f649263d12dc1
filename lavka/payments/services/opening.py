"""How a payment begins, and how nobody wants it any more."""

import datetime
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from lavka.kernel import rows
from lavka.kernel.actors import Actor, in_name_of
from lavka.kernel.errors import FieldError, Invalid
from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.orders.services import locked_order
from lavka.payments import selectors
from lavka.payments.errors import NothingDue, PaymentOpen
from lavka.payments.events import PaymentFailed
from lavka.payments.gateways import registry
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import PaymentInput, PaymentStatus
from lavka.payments.services.announcements import announce_payment


@rows.Compiled
def _undecided(order_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.undecided().filter(order_id=order_id, abandoned_at=None)


@transaction.atomic
def open_payment(
    *,
    order_id: UUID,
    amount: Money | None,
    means: PaymentInput,
    at: datetime.datetime,
    key: str = "",
) -> Payment:
    """Write down that an order is to be paid; `flows.authorise` then asks for the money.

    Without an `amount` it is all that is still due. A second call with the same `key` returns the
    first payment.
    Raises: Order.DoesNotExist; Invalid, for a method that the shop does not take; PaymentOpen, with
    `payment`, while another one of the order is undecided; NothingDue, with what is `due`;
    CurrencyMismatch; KeyReused, for another means.
    Locks: the order.
    """
    if means.method not in registry.methods():
        names = registry.methods()
        detail = _("One of %(names)s is expected.") % {"names": ", ".join(names)}
        pointer, path = "#/payment/method", registry.METHODS_PATH
        raise Invalid(errors=[FieldError(pointer, "invalid_choice", detail, names, path)])
    order = locked_order.get(order_id)
    earlier = selectors.payment_by_key(order_id, key, means) if key else None
    if earlier is not None:
        return earlier
    undecided = _undecided.first(order_id)
    if undecided is not None:
        raise PaymentOpen(payment=str(undecided.pk))
    due = order.total - order.money(selectors.held_for(order_id))
    wanted = (amount or due).require(order.currency)
    if not 0 < wanted.amount <= due.amount:
        raise NothingDue(order=str(order_id), due=due.amount)
    payment = Payment(
        order=order,
        method=means.method,
        key=key or get_random_string(32),
        token=means.token,
        return_url=means.return_url,
        currency=wanted.currency,
        amount=wanted.amount,
        created_at=at,
    )
    return rows.insert(payment)


@in_name_of
@transaction.atomic
def abandon_payments(*, order_id: UUID, actor: Actor, at: datetime.datetime) -> list[UUID]:
    """Say that nobody waits for an order's payments; `flows.give_back` returns what they hold.

    The sweeper gives back what a crash leaves, also what a provider approves later.
    Returns the ids of payments that hold money or may come to.
    Raises: Order.DoesNotExist. Locks: the order, then its payments. Emits: PaymentFailed, for what
    nobody was asked for yet.
    """
    order = Order.objects.locked().get(pk=order_id)
    for payment in Payment.objects.locked().filter(order_id=order_id).order_by("pk"):
        payment.order = order
        _abandon(payment, actor, at)
    held = Payment.objects.to_give_back().filter(order_id=order_id).order_by("pk")
    return list(held.values_list("pk", flat=True))


@transaction.atomic
def is_being_captured(*, order_id: UUID) -> bool:
    """Whether money of an order was taken, or is just being taken; then nobody begins to.

    Locks: the order's payments, until the caller's transaction ends.
    """
    payments = Payment.objects.locked().filter(order_id=order_id).order_by("pk")
    return any(payment.captured or payment.capturing for payment in payments)


@in_name_of
@transaction.atomic
def expire_payment(*, payment_id: UUID, actor: Actor, at: datetime.datetime) -> None:
    """Abandon one payment, unless it was decided meanwhile.

    Locks: the order, then the payment. Emits: PaymentFailed, when nobody was asked for it yet.
    """
    order = Order.objects.locked().get(payments=payment_id)
    payment = Payment.objects.undecided().locked().filter(pk=payment_id).first()
    if payment is not None:
        payment.order = order
        _abandon(payment, actor, at)


@transaction.atomic
def forget_payments(*, order_ids: Collection[UUID]) -> None:
    """Delete the payments of orders that came to nothing, with what was asked of providers.

    Raises: ProtectedError, for one that is in the ledger.
    """
    payments = Payment.objects.filter(order__in=order_ids)
    Operation.objects.filter(payment__in=payments).delete()
    payments.delete()


def _abandon(payment: Payment, actor: Actor, at: datetime.datetime) -> None:
    if payment.abandoned_at is None:
        payment.abandoned_at, payment.abandoned_by = at, actor
    if payment.status == PaymentStatus.PENDING and not payment.operations.exists():
        payment.status = PaymentStatus.FAILED
        announce_payment(PaymentFailed, payment, payment.amount)
    payment.save(update_fields=["abandoned_at", "abandoned_by", "status", "updated_at"])

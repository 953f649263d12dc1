"""What is written when a provider has answered, whoever asked and however often."""

import datetime
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from lavka.kernel import actors, rows
from lavka.kernel.actors import Actor, acting
from lavka.kernel.plain_text import storable
from lavka.orders.models import Order
from lavka.orders.services import record_payments
from lavka.payments import selectors
from lavka.payments.events import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentEvent,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
)
from lavka.payments.gateways import registry
from lavka.payments.gateways.protocol import (
    ActionNeeded,
    Answer,
    Approved,
    Declined,
    Processing,
)
from lavka.payments.models import MAX_REASON, MAX_REFERENCE, Operation, Payment
from lavka.payments.rules import AMOUNT_MISMATCH, TRANSITIONS, UNDECIDED, PaymentStatus
from lavka.payments.rules import OperationKind as Kind
from lavka.payments.rules import OperationState as State
from lavka.payments.services.announcements import announce_payment
from lavka.payments.services.ledger import move_money

logger = logging.getLogger(__name__)

MAX_ACTION_VALUE = 2000
# What of a payment an answer changes.
_MOVED = (
    *("authorised", "capturing", "captured", "voiding", "voided", "refunding", "refunded"),
    *("status", "reference", "action", "reason", "abandoned_at", "updated_at"),
)


@transaction.atomic(durable=True)
def record_answer(
    *, operation_id: UUID, answer: Answer, at: datetime.datetime, told_by: Actor | None = None
) -> Operation:
    """Write an answer down, once; a later answer to a finished operation changes nothing.

    History and event name whoever asked for the operation, also when the answer comes hours later;
    for a request for money that the provider answers on its own (`told_by`), the provider.

    One exception: a provider that approves what was given up has the money, so it is written down
    and goes back. An approval of another amount or currency than was asked for is not booked.
    Locks: the order, then the payment.
    Emits: PaymentAuthorised, PaymentCaptured, PaymentFailed, PaymentVoided or PaymentRefunded.
    """
    payment, operation = _lock(operation_id)
    with acting(_actor(operation, told_by)):
        _write_down(payment, operation, _storable(answer), at)
    return operation


def _actor(operation: Operation, told_by: Actor | None) -> Actor:
    is_customers = operation.kind == Kind.AUTHORISE
    return told_by if is_customers and told_by else operation.asked_by


def _write_down(
    payment: Payment, operation: Operation, answer: Answer, at: datetime.datetime
) -> None:
    match answer:
        case Approved() if not _is_as_asked(payment, operation, answer):
            _refuse_to_book(payment, operation, answer)
        case Approved():
            _approve(payment, operation, answer, at)
        case Declined():
            _decline(payment, operation, answer, at)
        case ActionNeeded() | Processing():
            _wait(payment, operation, answer)


@transaction.atomic(durable=True)
def give_up_operation(*, operation_id: UUID, at: datetime.datetime) -> Operation:
    """Fail an operation that never reached the provider.

    Locks: the order, then the payment. Emits: PaymentFailed, when it asked for the money.
    """
    payment, operation = _lock(operation_id)
    if operation.state == State.STARTED:
        with acting(operation.asked_by):
            _decline(payment, operation, Declined("never_arrived"), at)
    return operation


def _storable(answer: Answer) -> Answer:
    """The answer with the provider's words as far as the database keeps them."""
    reference = storable(answer.reference, MAX_REFERENCE)
    match answer:
        case Declined():
            return replace(answer, reference=reference, reason=storable(answer.reason, MAX_REASON))
        case ActionNeeded():
            action = {
                storable(name, MAX_REASON): storable(value, MAX_ACTION_VALUE)
                for name, value in answer.action.items()
            }
            return replace(answer, reference=reference, action=action)
    return replace(answer, reference=reference)


def _lock(operation_id: UUID) -> tuple[Payment, Operation]:
    order = _order_of.get(operation_id)
    payment = _payment_of.get(operation_id)
    payment.order = order
    operation = _operation.get(operation_id)
    operation.payment = payment
    return payment, operation


@rows.Compiled
def _order_of(operation_id: UUID) -> QuerySet[Order]:
    return Order.objects.locked().filter(payments__operations=operation_id)


@rows.Compiled
def _payment_of(operation_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.locked().filter(operations=operation_id)


@rows.Compiled
def _operation(operation_id: UUID) -> QuerySet[Operation]:
    return Operation.objects.filter(pk=operation_id)


def _approve(
    payment: Payment, operation: Operation, answer: Approved, at: datetime.datetime
) -> None:
    if operation.state == State.SUCCEEDED:
        return
    is_late = operation.state == State.FAILED
    if is_late and operation.kind != Kind.AUTHORISE:
        return
    if is_late:
        payment.abandoned_at = payment.abandoned_at or at
    _finish(operation, State.SUCCEEDED, answer.reference, "", at)
    match operation.kind:
        case Kind.AUTHORISE:
            _authorised(payment, operation, answer, at)
        case Kind.CAPTURE:
            payment.capturing -= operation.amount
            _captured(payment, operation, at)
        case Kind.VOID:
            _voided(payment, operation, at)
        case Kind.REFUND:
            payment.refunding -= operation.amount
            payment.refunded += operation.amount
            move_money(payment, operation, Kind.REFUND, at)
            _save(
                payment,
                payment.amounts.status,
                PaymentRefunded,
                operation.amount,
                at,
                operation_id=operation.pk,
            )


def _is_as_asked(payment: Payment, operation: Operation, answer: Approved) -> bool:
    return answer.is_exact and answer.amount in {None, payment.money(operation.amount)}


def _refuse_to_book(payment: Payment, operation: Operation, answer: Approved) -> None:
    """Keep the claim and wait: asking again could move the money twice. Reconciling reports it."""
    asked = payment.money(operation.amount)
    done = f"{'' if answer.is_exact else 'a part of a minor unit more than '}{answer.amount}"
    logger.error("%s %s: asked for %s, done: %s", operation.kind, operation.pk, asked, done)
    if operation.is_finished:
        return
    operation.reason = AMOUNT_MISMATCH
    operation.save(update_fields=["reason"])
    _wait(payment, operation, Processing(answer.reference))


def _authorised(
    payment: Payment, operation: Operation, answer: Approved, at: datetime.datetime
) -> None:
    payment.authorised = operation.amount
    payment.reference, payment.action, payment.reason = answer.reference, None, ""
    if answer.is_captured:
        _captured(payment, operation, at)
    else:
        _save(payment, PaymentStatus.AUTHORISED, PaymentAuthorised, operation.amount, at)


def _captured(payment: Payment, operation: Operation, at: datetime.datetime) -> None:
    payment.captured += operation.amount
    if registry.gateway_of(payment.method).captures_once:
        payment.voided += payment.amounts.capturable
    move_money(payment, operation, Kind.CAPTURE, at)
    _save(payment, payment.amounts.status, PaymentCaptured, operation.amount, at)


def _voided(payment: Payment, operation: Operation, at: datetime.datetime) -> None:
    if payment.status in UNDECIDED:
        asked = payment.operations.get(kind=Kind.AUTHORISE)
        _finish(asked, State.FAILED, asked.reference, "voided", at)
        payment.action = None
        _save(payment, PaymentStatus.VOIDED, PaymentVoided, asked.amount, at)
        return
    # Nothing was claimed if the payment was undecided then and was approved meanwhile.
    claimed = min(payment.voiding, operation.amount)
    payment.voiding -= claimed
    given_up = claimed or payment.amounts.capturable
    payment.voided += given_up
    _save(payment, payment.amounts.status, PaymentVoided, given_up, at)


def _decline(
    payment: Payment, operation: Operation, answer: Declined, at: datetime.datetime
) -> None:
    if operation.is_finished:
        return
    _finish(operation, State.FAILED, answer.reference, answer.reason, at)
    match operation.kind:
        case Kind.AUTHORISE:
            payment.reference = answer.reference or payment.reference
            payment.action, payment.reason = None, answer.reason
            _save(payment, PaymentStatus.FAILED, PaymentFailed, operation.amount, at)
            return
        case Kind.CAPTURE:
            payment.capturing -= operation.amount
        case Kind.VOID:
            payment.voiding -= min(payment.voiding, operation.amount)
        case Kind.REFUND:
            payment.refunding -= operation.amount
    payment.save()


def _wait(payment: Payment, operation: Operation, answer: ActionNeeded | Processing) -> None:
    if operation.is_finished:
        return
    operation.state, operation.reference = State.WAITING, answer.reference
    operation.save(update_fields=["state", "reference"])
    payment.reference = payment.reference or answer.reference
    if isinstance(answer, ActionNeeded) and payment.status in UNDECIDED:
        payment.action, payment.status = dict(answer.action), PaymentStatus.REQUIRES_ACTION
    payment.save(update_fields=["reference", "action", "status", "updated_at"])


def _finish(
    operation: Operation, state: State, reference: str, reason: str, at: datetime.datetime
) -> None:
    operation.state, operation.finished_at = state, at
    operation.reference, operation.reason = reference, reason
    rows.update(operation, "state", "finished_at", "reference", "reason")


def _save(
    payment: Payment,
    status: PaymentStatus,
    event: type[PaymentEvent],
    amount: int,
    at: datetime.datetime,
    **details: Any,
) -> None:
    before = PaymentStatus(payment.status)
    if status != before and status not in TRANSITIONS[before]:
        raise AssertionError(f"payment {payment.pk}: {before} cannot become {status}")
    payment.status = status
    rows.update(payment, *_MOVED)
    record_payments(
        order_id=payment.order_id,
        sums=selectors.sums_of(payment.order_id),
        actor=actors.current(),
        at=at,
    )
    announce_payment(event, payment, amount, **details)

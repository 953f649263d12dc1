"""What is written before a provider is asked: the operation, and the money it claims."""

import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from lavka.kernel import rows
from lavka.kernel.actors import Actor
from lavka.kernel.errors import Conflict
from lavka.kernel.idempotency import require_same_meaning
from lavka.kernel.money import Money
from lavka.payments import rules
from lavka.payments.errors import NotCapturable, NotRefundable, NotVoidable
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import UNDECIDED, UNFINISHED, OperationState, PaymentStatus
from lavka.payments.rules import OperationKind as Kind


class Claim(NamedTuple):
    """How much is asked for under which key of the caller's; `fingerprint` says what they meant."""

    key: str
    amount: int
    fingerprint: str = ""


@rows.Compiled
def _locked_payment(payment_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.locked().filter(pk=payment_id)


@rows.Compiled
def _authorisation(payment_id: UUID) -> QuerySet[Operation]:
    return Operation.objects.filter(payment_id=payment_id, kind=Kind.AUTHORISE)


@transaction.atomic(durable=True)
def begin_authorise(
    *, payment_id: UUID, actor: Actor, at: datetime.datetime
) -> tuple[Operation | None, bool]:
    """The operation that asks for the payment's money, and whether this call made it.

    None for a payment that was given up, or abandoned, before anybody was asked.
    Raises: Payment.DoesNotExist. Locks: the payment.
    """
    payment = _locked_payment.get(payment_id)
    asked = _authorisation.first(payment_id)
    may_begin = payment.status == PaymentStatus.PENDING and payment.abandoned_at is None
    if asked is not None or not may_begin:
        return asked, False
    return _begin(payment, Kind.AUTHORISE, Claim("authorise", payment.amount), actor, at), True


@transaction.atomic(durable=True)
def begin_capture(
    *,
    payment_id: UUID,
    amount: Money | None,
    key: str,
    actor: Actor,
    at: datetime.datetime,
    fingerprint: str = "",
) -> tuple[Operation | None, bool]:
    """Claim authorised money, all of it without an `amount`; None when all is taken already.

    Of a payment that was given up nothing is taken any more.
    Without a `key`, calls that find the same sum captured are one.
    `fingerprint` says what the caller asks for under `key`, when this is a part of it.
    Raises: Payment.DoesNotExist; NotCapturable, with `available`; CurrencyMismatch; KeyReused.
    Locks: the payment.
    """
    payment = _locked_payment.get(payment_id)
    key = key or f"after {payment.captured}"
    fingerprint = fingerprint or rules.fingerprint_of_change("capture_payment", amount)
    if earlier := _earlier(payment, Kind.CAPTURE, key, fingerprint):
        return earlier, False
    available = payment.amounts.capturable if payment.abandoned_at is None else 0
    if amount is None and available == 0 and payment.captured:
        return None, False
    wanted = _wanted(payment, amount, available, NotCapturable)
    payment.capturing += wanted
    claim = Claim(key, wanted, fingerprint)
    return _begin(payment, Kind.CAPTURE, claim, actor, at), True


@transaction.atomic(durable=True)
def begin_void(
    *, payment_id: UUID, actor: Actor, at: datetime.datetime
) -> tuple[Operation | None, bool]:
    """Claim what is authorised and not captured; None when that was given up already.

    What waits for the customer is given up as a whole.
    Raises: Payment.DoesNotExist; NotVoidable. Locks: the payment.
    """
    payment = _locked_payment.get(payment_id)
    under_way = payment.operations.filter(kind=Kind.VOID, state__in=UNFINISHED).first()
    if under_way is not None:
        return under_way, False
    if payment.status == PaymentStatus.VOIDED:
        return None, False
    key = f"void {payment.operations.filter(kind=Kind.VOID).count() + 1}"
    if payment.status in UNDECIDED and payment.reference:
        return _begin(payment, Kind.VOID, Claim(key, payment.amount), actor, at), True
    available = payment.amounts.capturable
    if not available or payment.capturing:
        raise NotVoidable(payment=str(payment_id))
    payment.voiding += available
    return _begin(payment, Kind.VOID, Claim(key, available), actor, at), True


@transaction.atomic(durable=True)
def begin_refund(
    *,
    payment_id: UUID,
    amount: Money | None,
    key: str,
    actor: Actor,
    at: datetime.datetime,
    fingerprint: str = "",
) -> tuple[Operation | None, bool]:
    """Claim captured money, all of it without an `amount`; None when all went back already.

    `fingerprint` says what the caller asks for under `key`, when this is a part of it.
    Raises: Payment.DoesNotExist; NotRefundable, with `available`; CurrencyMismatch; KeyReused.
    Locks: the payment.
    """
    payment = _locked_payment.get(payment_id)
    fingerprint = fingerprint or rules.fingerprint_of_change("refund_payment", amount)
    if earlier := _earlier(payment, Kind.REFUND, key, fingerprint):
        return earlier, False
    available = payment.amounts.refundable
    if amount is None and available == 0 and payment.refunded:
        return None, False
    wanted = _wanted(payment, amount, available, NotRefundable)
    payment.refunding += wanted
    claim = Claim(key, wanted, fingerprint)
    return _begin(payment, Kind.REFUND, claim, actor, at), True


@transaction.atomic(durable=True)
def touch_operation(*, operation_id: UUID, at: datetime.datetime) -> None:
    """Note that the provider was asked what became of it, so that others are asked about first."""
    Operation.objects.filter(pk=operation_id).update(looked_up_at=at)


def _wanted(payment: Payment, amount: Money | None, available: int, refusal: type[Conflict]) -> int:
    wanted = (amount or payment.money(available)).require(payment.currency, "#/amount/currency")
    if not 0 < wanted.amount <= available:
        raise refusal(payment=str(payment.pk), available=available)
    return wanted.amount


def _earlier(payment: Payment, kind: Kind, key: str, fingerprint: str) -> Operation | None:
    """What came of the key before, unless that failed; raises KeyReused for another request."""
    earlier = list(payment.operations.filter(kind=kind, key=key).order_by("id"))
    for operation in earlier:
        require_same_meaning(operation.fingerprint, fingerprint)
    return next((each for each in earlier if each.state != OperationState.FAILED), None)


def _begin(
    payment: Payment, kind: Kind, claim: Claim, actor: Actor, at: datetime.datetime
) -> Operation:
    """Write down what is claimed, for what, and who asks."""
    rows.update(payment, "capturing", "voiding", "refunding", "updated_at")
    operation = Operation(
        payment=payment,
        kind=kind,
        key=claim.key,
        fingerprint=claim.fingerprint,
        amount=claim.amount,
        asked_by=actor,
        started_at=at,
    )
    return rows.insert(operation)

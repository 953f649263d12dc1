"""Asking a provider: each flow may be called twice, in parallel, or again after a crash."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from lavka.kernel import clock
from lavka.kernel.actors import Actor
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.kernel.threads import in_thread
from lavka.payments import selectors, services
from lavka.payments.errors import GatewayUnavailable
from lavka.payments.gateways import registry
from lavka.payments.gateways.protocol import (
    Answer,
    Ask,
    Authorise,
    Capture,
    Gateway,
    Refund,
    Void,
)
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import GIVE_BACK, UNDECIDED, OperationState, PaymentStatus
from lavka.payments.rules import OperationKind as Kind

_CHANGES: Mapping[str, type[Capture | Void | Refund]] = {
    Kind.CAPTURE: Capture,
    Kind.VOID: Void,
    Kind.REFUND: Refund,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the payment stands after the call.

    `status` is the payment's, except for `declined`, when the provider refused what was asked, and
    `pending`, when that is not known yet; an event tells it later.
    """

    payment_id: UUID
    status: str
    action: Mapping[str, str] | None = None
    reason: str = ""


async def authorise(*, payment_id: UUID, actor: Actor) -> Outcome:
    """Ask for a payment's money, once; later calls find out how it stands.

    Raises: Payment.DoesNotExist.
    """
    operation, is_new = await in_thread(
        services.begin_authorise, payment_id=payment_id, actor=actor, at=clock.now()
    )
    return await _outcome(payment_id, operation, is_new)


async def capture(
    *,
    payment_id: UUID,
    actor: Actor,
    amount: Money | None = None,
    key: str = "",
    fingerprint: str = "",
) -> Outcome:
    """Take authorised money, all that is left without an `amount`; once per `key`, if there is one.

    Raises: Payment.DoesNotExist; NotCapturable; CurrencyMismatch; KeyReused.
    """
    operation, is_new = await in_thread(
        services.begin_capture,
        payment_id=payment_id,
        amount=amount,
        key=key,
        fingerprint=fingerprint,
        actor=actor,
        at=clock.now(),
    )
    return await _outcome(payment_id, operation, is_new)


async def void(*, payment_id: UUID, actor: Actor) -> Outcome:
    """Give up what is authorised and not captured, or a payment that waits for the customer.

    Raises: Payment.DoesNotExist; NotVoidable.
    """
    operation, is_new = await in_thread(
        services.begin_void, payment_id=payment_id, actor=actor, at=clock.now()
    )
    return await _outcome(payment_id, operation, is_new)


async def refund(
    *,
    payment_id: UUID,
    key: str,
    actor: Actor,
    amount: Money | None = None,
    fingerprint: str = "",
) -> Outcome:
    """Give captured money back, all that is left without an `amount`; once per `key`.

    Raises: Payment.DoesNotExist; NotRefundable; CurrencyMismatch; KeyReused.
    """
    operation, is_new = await in_thread(
        services.begin_refund,
        payment_id=payment_id,
        amount=amount,
        key=key,
        fingerprint=fingerprint,
        actor=actor,
        at=clock.now(),
    )
    return await _outcome(payment_id, operation, is_new)


async def give_back(*, payment_id: UUID, actor: Actor) -> None:
    """Void and refund whatever an abandoned payment holds; what is not decided yet is tried again.

    In the name of whoever abandoned it, or of `actor` where nobody knows.

    Raises: Payment.DoesNotExist; NotVoidable or NotRefundable, when somebody else is at it.
    """
    payment = await in_thread(Payment.objects.get, pk=payment_id)
    by = payment.abandoned_by or actor
    if payment.status in UNDECIDED and not payment.reference:
        await authorise(payment_id=payment_id, actor=by)
    elif payment.status in UNDECIDED or payment.amounts.capturable:
        await void(payment_id=payment_id, actor=by)
    payment = await in_thread(Payment.objects.get, pk=payment_id)
    if payment.amounts.refundable:
        key = f"{GIVE_BACK} {payment.captured}"
        await refund(payment_id=payment_id, key=key, actor=by)


async def resolve(*, operation_id: UUID, told_by: Actor | None = None) -> Operation:
    """Find out what became of an operation, and record it.

    What never arrived is sent again with its key, except a request for money: nobody waits for
    that any more, so it fails.
    Raises: Operation.DoesNotExist.
    """
    operation = await in_thread(selectors.operation_with_payment, operation_id)
    is_given_up = operation.state == OperationState.FAILED and operation.kind == Kind.AUTHORISE
    if operation.is_finished and not is_given_up:
        return operation
    at = clock.now()
    await in_thread(services.touch_operation, operation_id=operation_id, at=at)
    try:
        answer = await _gateway(operation).lookup(_request(operation))
    except GatewayUnavailable:
        return operation
    if answer is not None:
        return await _record(operation, answer, told_by)
    if operation.is_finished or at - operation.started_at < selectors.LEASE:
        return operation
    if operation.kind == Kind.AUTHORISE:
        return await in_thread(services.give_up_operation, operation_id=operation_id, at=at)
    return await _ask(operation)


async def _outcome(payment_id: UUID, operation: Operation | None, is_new: bool) -> Outcome:
    if operation is not None:
        if is_new:
            operation = await _ask(operation)
        else:
            operation = await resolve(operation_id=operation.pk)
    if operation is None or operation.state == OperationState.STARTED:
        payment = await in_thread(selectors.payment, payment_id)
    else:
        payment = operation.payment  # as it was when the answer was written down
    status, reason = payment.status, payment.reason
    if operation is not None and operation.state == OperationState.FAILED:
        status, reason = "declined", operation.reason
    elif payment.status == PaymentStatus.FAILED:
        status = "declined"
    elif operation is not None and operation.state == OperationState.STARTED:
        status = "pending"
    return Outcome(payment_id, status, payment.action, reason)


async def _ask(operation: Operation) -> Operation:
    """Send the request; without an answer it stays STARTED, and the sweeper looks it up."""
    try:
        answer = await _send(_gateway(operation), _request(operation))
    except GatewayUnavailable:
        return operation
    return await _record(operation, answer)


async def _send(gateway: Gateway, request: Ask) -> Answer:
    match request:
        case Authorise():
            return await gateway.authorise(request)
        case Capture():
            return await gateway.capture(request)
        case Void():
            return await gateway.void(request)
        case Refund():
            return await gateway.refund(request)


async def _record(operation: Operation, answer: Answer, told_by: Actor | None = None) -> Operation:
    return await in_thread(
        services.record_answer,
        operation_id=operation.pk,
        answer=answer,
        at=clock.now(),
        told_by=told_by,
    )


def _gateway(operation: Operation) -> Gateway:
    return registry.gateway_of(operation.payment.method)


def _request(operation: Operation) -> Ask:
    payment = operation.payment
    if operation.kind == Kind.AUTHORISE:
        return Authorise(
            key=operation.pk,
            payment_id=payment.pk,
            order_id=payment.order_id,
            amount=payment.money(operation.amount),
            token=payment.token,
            wants_capture=options.captures_at_once,
            asked_at=operation.started_at,
            return_url=payment.return_url,
        )
    return _CHANGES[operation.kind](
        key=operation.pk,
        reference=payment.reference,
        amount=payment.money(operation.amount),
        asked_at=operation.started_at,
    )

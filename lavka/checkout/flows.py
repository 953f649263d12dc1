"""Buying: a transaction, the payment with no transaction open, a transaction."""

import datetime
import logging
from collections.abc import Mapping
from uuid import UUID

from lavka.checkout import selectors, services
from lavka.checkout.models import RefundClaim
from lavka.checkout.rules import SURPLUS
from lavka.checkout.services import Buyer
from lavka.inventory.errors import OutOfStock
from lavka.kernel import clock
from lavka.kernel.actors import Actor
from lavka.kernel.idempotency import fingerprint_of
from lavka.kernel.money import Money
from lavka.kernel.threads import in_thread
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments import flows as payments
from lavka.payments.errors import NotRefundable, NotVoidable, PaymentDeclined
from lavka.payments.rules import PaymentInput, fingerprint_of_change

logger = logging.getLogger(__name__)


async def buy(*, cart_id: UUID, quote_id: UUID, buyer: Buyer, means: PaymentInput) -> Order:
    """Make an order of a cart; a draft is returned while the payment is not decided.

    May be called twice, in parallel, or again after a crash: one order, one charge.
    Raises: what `services.prepare` does; PaymentDeclined, with `payment` and `reason`.
    """
    actor = Actor.customer(buyer.id)
    prepared = await in_thread(
        services.prepare,
        cart_id=cart_id,
        quote_id=quote_id,
        buyer=buyer,
        means=means,
        at=clock.now(),
    )
    if prepared.payment_id is not None:
        outcome = await payments.authorise(payment_id=prepared.payment_id, actor=actor)
        if outcome.status == "pending":
            # The provider gave no answer: ask once what became of it, the sweeper asks again.
            outcome = await payments.authorise(payment_id=prepared.payment_id, actor=actor)
        if outcome.status == "declined":
            raise PaymentDeclined(payment=str(prepared.payment_id), reason=outcome.reason)
    return await finish(order_id=prepared.order_id, at=clock.now())


async def finish(*, order_id: UUID, at: datetime.datetime) -> Order:
    """Place a paid draft, or give its money back when its stock is gone.

    Raises: Order.DoesNotExist; OutOfStock, with the money on its way back.
    """
    try:
        return await in_thread(services.finalise, order_id=order_id, at=at)
    except OutOfStock:
        await give_up(order_id=order_id, actor=Actor.system("checkout.finish"))
        order = await in_thread(Order.objects.get, pk=order_id)
        if order.status == OrderStatus.DRAFT:
            raise
        return order


async def capture(*, order_id: UUID, actor: Actor) -> None:
    """Take what is authorised, up to the order's total.

    Raises: Order.DoesNotExist; NotCapturable, when there is nothing; PaymentDeclined, with
    `payment` and `reason`.
    """
    order = await in_thread(Order.objects.placed().get, pk=order_id)
    key = f"{order.captured_amount} of {order.total_amount}"
    fingerprint = fingerprint_of({"key": key})
    for payment_id, part in await in_thread(selectors.capture_parts, order):
        captured = await payments.capture(
            payment_id=payment_id, amount=part, key=key, actor=actor, fingerprint=fingerprint
        )
        _require_done(captured)


async def refund_surplus(*, order_id: UUID, actor: Actor) -> None:
    """Give back what an edit has made too much; calls that see the same do it once.

    What is refused now, the sweeper tries again.
    Raises: Order.DoesNotExist; NotRefundable; PaymentDeclined.
    """
    order = await in_thread(Order.objects.placed().get, pk=order_id)
    surplus = await in_thread(selectors.surplus_of, order)
    if surplus.amount:
        key = f"{SURPLUS} {order.captured_amount} {order.refunded_amount} {order.total_amount}"
        meaning = fingerprint_of({"key": key})
        await refund(order_id=order_id, amount=surplus, key=key, actor=actor, fingerprint=meaning)


async def refund(
    *, order_id: UUID, amount: Money | None, key: str, actor: Actor, fingerprint: str = ""
) -> None:
    """Give an order's money back, all that is left without an `amount`; once per `key`.

    `fingerprint` says what the caller asks for under `key`, when it is not just this amount.
    Raises: Order.DoesNotExist; NotRefundable, with what is `available`; PaymentDeclined;
    CurrencyMismatch; KeyReused.
    """
    order = await in_thread(Order.objects.placed().get, pk=order_id)
    fingerprint = fingerprint or fingerprint_of_change("refund_order", amount)
    await in_thread(selectors.require_same_refund, order_id, key, fingerprint)
    parts = await in_thread(selectors.refund_parts, order, amount, key)
    for payment_id, part in parts:
        refunded = await payments.refund(
            payment_id=payment_id, key=key, amount=part, actor=actor, fingerprint=fingerprint
        )
        _require_done(refunded)


async def refund_lines(
    *, order_id: UUID, quantities: Mapping[UUID, int], key: str, actor: Actor
) -> None:
    """Give back what pieces (order line id → pieces > 0) cost; once per `key`.

    Raises: Order.DoesNotExist; UnknownLine; MoreThanLeft; NotRefundable;
    PaymentDeclined; KeyReused.
    """
    claim, is_new = await in_thread(
        services.claim_lines,
        order_id=order_id,
        quantities=quantities,
        key=key,
        actor=actor,
        at=clock.now(),
    )
    if is_new:
        await _pay_out(claim)
    else:
        await go_on_with_refund(claim=claim)


async def refund_return(*, return_id: UUID, actor: Actor) -> None:
    """Give back what the pieces of a received return cost, once.

    Raises: ReturnRequest.DoesNotExist; ReturnInTheWrongState; what `refund_lines` does.
    """
    claim, is_new = await in_thread(
        services.claim_return, return_id=return_id, actor=actor, at=clock.now()
    )
    if claim is None:
        return
    if is_new:
        await _pay_out(claim)
    else:
        await go_on_with_refund(claim=claim)


async def go_on_with_refund(*, claim: RefundClaim) -> None:
    """Pay a claim out that was left behind; one that somebody is at, or that is settled, stays.

    Raises: NotRefundable; PaymentDeclined.
    """
    if await in_thread(services.take_up_claim, claim_id=claim.pk, at=clock.now()):
        await _pay_out(claim)


async def _pay_out(claim: RefundClaim) -> None:
    """Ask for the claim's money by its key, so that what was asked before is only looked up.

    In the name of whoever claimed it, also when the sweeper goes on with it.
    """
    order = await in_thread(Order.objects.get, pk=claim.order_id)
    try:
        if claim.amount:
            await refund(
                order_id=order.pk,
                amount=order.money(claim.amount),
                key=claim.key,
                fingerprint=claim.fingerprint,
                actor=claim.claimed_by,
            )
    except (NotRefundable, PaymentDeclined):
        await _settle(claim, is_refused=True)
        raise
    await _settle(claim, is_refused=False)


async def _settle(claim: RefundClaim, *, is_refused: bool) -> None:
    await in_thread(services.settle_claim, claim_id=claim.pk, is_refused=is_refused, at=clock.now())


def _require_done(outcome: payments.Outcome) -> None:
    if outcome.status == "declined":
        raise PaymentDeclined(payment=str(outcome.payment_id), reason=outcome.reason)


async def give_up(*, order_id: UUID, actor: Actor) -> None:
    """Let go of a draft and give back what its payments hold; what fails now, the sweeper does.

    Raises: Order.DoesNotExist.
    """
    held = await in_thread(services.give_up, order_id=order_id, actor=actor, at=clock.now())
    await give_back(held, actor=actor)


async def give_back(payment_ids: list[UUID], *, actor: Actor) -> None:
    """Void and refund abandoned payments, each as far as it goes now."""
    for payment_id in payment_ids:
        try:
            await payments.give_back(payment_id=payment_id, actor=actor)
        except (NotVoidable, NotRefundable):
            logger.info("payment %s is left to the sweeper", payment_id)

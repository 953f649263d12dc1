"""A customer pays an order that is placed and not paid, or not by what they chose first."""

from uuid import UUID

from lavka.kernel import clock
from lavka.kernel.actors import Actor
from lavka.kernel.threads import in_thread
from lavka.payments import selectors, services
from lavka.payments.flows.asking import Outcome, authorise, void
from lavka.payments.rules import PaymentInput


async def pay(*, order_id: UUID, means: PaymentInput, key: str, actor: Actor) -> Outcome:
    """Pay what is still due of an order, by another means than before; once per `key`.

    An earlier payment that waits for the customer is given up first, so that only one can be
    confirmed.
    Raises: Order.DoesNotExist; Invalid, for a method that the shop does not take; PaymentOpen, when
    the earlier one's provider gives no answer; NothingDue; KeyReused, for another means.
    """
    earlier = await in_thread(selectors.payment_by_key, order_id, key, means)
    waiting = None if earlier else await in_thread(selectors.waiting_payment, order_id)
    if waiting is not None:
        await void(payment_id=waiting.pk, actor=actor)
    payment = await in_thread(
        services.open_payment,
        order_id=order_id,
        amount=None,
        means=means,
        at=clock.now(),
        key=key,
    )
    return await authorise(payment_id=payment.pk, actor=actor)

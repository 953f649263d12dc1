"""Telling the shop what became of payments."""

from typing import Any

from lavka.kernel import events
from lavka.payments.events import PaymentEvent
from lavka.payments.models import Payment


def announce_payment(
    event: type[PaymentEvent], payment: Payment, amount: int, **details: Any
) -> None:
    """Say that this happened to a payment, with its order, about `amount` (minor units).

    `details` are what this event alone tells.
    """
    events.publish(
        event(
            payment_id=payment.pk,
            order_id=payment.order_id,
            order_number=payment.order.number,
            method=payment.method,
            status=payment.status,
            amount=payment.money(amount),
            authorised=payment.money(payment.authorised),
            captured=payment.money(payment.captured),
            refunded=payment.money(payment.refunded),
            **details,
        )
    )

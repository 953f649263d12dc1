"""Every change of a payment; each function that a provider call follows or precedes is durable."""

from lavka.payments.services.answers import give_up_operation, record_answer
from lavka.payments.services.inbox import mark_processed, purge_webhooks, receive_webhook
from lavka.payments.services.ledger import enter_sale
from lavka.payments.services.opening import (
    abandon_payments,
    expire_payment,
    forget_payments,
    is_being_captured,
    open_payment,
)
from lavka.payments.services.operations import (
    begin_authorise,
    begin_capture,
    begin_refund,
    begin_void,
    touch_operation,
)

__all__ = [
    "abandon_payments",
    "begin_authorise",
    "begin_capture",
    "begin_refund",
    "begin_void",
    "enter_sale",
    "expire_payment",
    "forget_payments",
    "give_up_operation",
    "is_being_captured",
    "mark_processed",
    "open_payment",
    "purge_webhooks",
    "receive_webhook",
    "record_answer",
    "touch_operation",
]

"""Payments for tests."""

from inspect import signature
from typing import Any

from asgiref.sync import async_to_sync
from django.utils import timezone

from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.payments import flows, services
from lavka.payments.models import Payment
from lavka.payments.rules import PaymentInput
from tests.happening import SYSTEM
from tests.orders.factories import make_line, make_order


def order_of(total: int, **overrides: Any) -> Order:
    """A placed order that costs `total` cents."""
    line = make_line(unit_price=total, quantity=1, tax=0)
    return make_order(line, shipping=0, shipping_tax=0, **overrides)


def make_payment(amount: int = 1000, token: str = "success", **overrides: Any) -> Payment:
    """A payment that was opened and not asked for, of an order of 100.00 USD."""
    fields: dict[str, Any] = {"at": timezone.now()} | overrides
    means = PaymentInput(
        method=fields.pop("method", "sandbox"),
        token=token,
        return_url=fields.pop("return_url", ""),
    )
    if "order_id" not in fields:
        fields["order_id"] = order_of(10_000).pk
    return services.open_payment(amount=Money(amount, "USD"), means=means, **fields)


def make_captured(amount: int = 1000, **overrides: Any) -> Payment:
    """A payment whose money was taken."""
    payment = make_payment(amount, **overrides)
    run(flows.authorise, payment_id=payment.pk)
    payment.refresh_from_db()
    assert payment.captured == amount
    return payment


def run(flow: Any, **arguments: Any) -> Any:
    """Call a flow as a worker does; whoever it is, where a test does not say."""
    if "actor" in signature(flow).parameters:
        arguments.setdefault("actor", SYSTEM)
    return async_to_sync(flow)(**arguments)

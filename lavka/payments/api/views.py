"""Customers, and guests with the order's key, see and pay what an order costs."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.orders.api.views import KEY, OneOrderView, reader_of
from lavka.orders.models import Order
from lavka.orders.selectors import order_for
from lavka.payments import flows, selectors
from lavka.payments.api.serializers import PayInput, PaymentOutput, payment_json
from lavka.payments.errors import NothingDue, PaymentDeclined, PaymentOpen
from lavka.payments.rules import PaymentInput
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import in_thread

EXAMPLE = OpenApiExample(
    "With the sandbox", {"payment": {"method": "sandbox", "token": "success"}}, request_only=True
)


class OrderPaymentsView(OneOrderView):
    """The payments of one order."""

    @operation(
        "list_order_payments",
        "List an order's payments",
        parameters=[*PAGE_PARAMETERS, KEY],
        responses=page_output(PaymentOutput, "OrderPaymentPage"),
    )
    async def get(self, request: Request, order_id: UUID) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            payments = selectors.payments_of(_order(request, order_id).pk)
            return page_of(payments, order=["-id"], wanted=wanted, render=payment_json)

        return Response(await in_thread(page))

    @operation(
        "pay_order",
        "Pay what is still due of an order",
        parameters=[KEY],
        request=PayInput,
        responses={201: PaymentOutput},
        errors=[PaymentDeclined, PaymentOpen, NothingDue],
        examples=[EXAMPLE],
        requires_key=True,
        calls_out=True,
        description="A payment that still waits for the customer is given up for this one.",
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        means = PaymentInput(**PayInput.read(request.data)["payment"])
        await in_thread(_order, request, order_id)
        outcome = await flows.pay(
            order_id=order_id, key=f"{order_id} {self.owned_key}", actor=self.actor, means=means
        )
        return await _answer(order_id, outcome, status=201)


class ConfirmPaymentView(OneOrderView):
    """The customer is back from their bank."""

    @operation(
        "confirm_payment",
        "Find out how a payment stands",
        parameters=[KEY],
        request=None,
        responses=PaymentOutput,
        errors=[PaymentDeclined],
        calls_out=True,
        description="After the customer has done what `action` asked for. The provider's webhook"
        " has the same effect; whichever comes first counts.",
    )
    async def post(self, request: Request, order_id: UUID, payment_id: UUID) -> Response:
        def own() -> UUID:
            payments = selectors.payments_of(_order(request, order_id).pk)
            return payments.get(pk=payment_id).pk

        outcome = await flows.authorise(payment_id=await in_thread(own), actor=self.actor)
        return await _answer(order_id, outcome)


def _order(request: Request, order_id: UUID) -> Order:
    customer_id, key = reader_of(request)
    return order_for(order_id, customer_id=customer_id, key=key)


async def _answer(order_id: UUID, outcome: flows.Outcome, status: int = 200) -> Response:
    if outcome.status == "declined":
        raise PaymentDeclined(payment=str(outcome.payment_id), reason=outcome.reason)

    def found() -> dict[str, Any]:
        return payment_json(selectors.payments_of(order_id).get(pk=outcome.payment_id))

    return Response(await in_thread(found), status=status)

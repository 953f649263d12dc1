"""The staff take an order's money, and give it back."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.checkout import flows
from lavka.checkout.api.serializers import RefundInput
from lavka.fulfilment.api.serializers import ReturnOutput, return_json
from lavka.fulfilment.errors import ReturnInTheWrongState
from lavka.fulfilment.selectors import all_returns
from lavka.kernel.money import CurrencyMismatch
from lavka.orders.api.manage import managed
from lavka.orders.api.serializers import ManagedOrderOutput
from lavka.orders.errors import MoreThanLeft
from lavka.payments.errors import NotCapturable, NotRefundable, PaymentDeclined
from lavka.web.schema import operation
from lavka.web.views import StaffView, in_thread

AMOUNT = OpenApiExample("A part", {"amount": {"amount": 500, "currency": "USD"}}, request_only=True)
LINES = OpenApiExample(
    "A line",
    {"lines": [{"line_id": "01a20adc-bec6-7edd-9eea-85eaf4679678", "quantity": 1}]},
    request_only=True,
)
ALL = OpenApiExample("All that is left", {}, request_only=True)


class ManageCaptureOrderView(StaffView):
    """Take what an order's payments hold."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "capture_order",
        "Capture an order's money",
        request=None,
        responses=ManagedOrderOutput,
        errors=[NotCapturable, PaymentDeclined],
        requires_key=True,
        calls_out=True,
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        await in_thread(managed, order_id)
        await flows.capture(order_id=order_id, actor=self.actor)
        return Response(await in_thread(managed, order_id))


class ManageRefundOrderView(StaffView):
    """Give an order's money back."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "refund_order",
        "Refund an order, whole, in part or by line",
        request=RefundInput,
        responses=ManagedOrderOutput,
        errors=[NotRefundable, MoreThanLeft, PaymentDeclined, CurrencyMismatch],
        examples=[ALL, AMOUNT, LINES],
        requires_key=True,
        calls_out=True,
        description="Never more than was captured. Stock stays as it is: see returns.",
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        body, key = RefundInput.read(request.data), self.owned_key
        if "lines" in body:
            await flows.refund_lines(
                order_id=order_id, quantities=body["lines"], key=key, actor=self.actor
            )
        else:
            await flows.refund(
                order_id=order_id, amount=body.get("amount"), key=key, actor=self.actor
            )
        return Response(await in_thread(managed, order_id))


class ManageRefundReturnView(StaffView):
    """Give the money of a received return back."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "refund_return",
        "Refund a received return",
        request=None,
        responses=ReturnOutput,
        errors=[ReturnInTheWrongState, NotRefundable, MoreThanLeft, PaymentDeclined],
        requires_key=True,
        calls_out=True,
    )
    async def post(self, request: Request, return_id: UUID) -> Response:
        await flows.refund_return(return_id=return_id, actor=self.actor)

        def found() -> dict[str, object]:
            return return_json(all_returns().get(pk=return_id))

        return Response(await in_thread(found))

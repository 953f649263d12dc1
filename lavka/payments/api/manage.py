"""Staff look at payments, and capture, void and refund them."""

from collections.abc import Awaitable
from uuid import UUID, uuid4

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel.money import CurrencyMismatch
from lavka.payments import flows, selectors
from lavka.payments.api.serializers import (
    ChangeInput,
    ManagedPaymentOutput,
    managed_payment_json,
)
from lavka.payments.errors import NotCapturable, NotRefundable, NotVoidable, PaymentDeclined
from lavka.payments.rules import PaymentStatus
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

STATUS = OpenApiParameter("status", str, enum=PaymentStatus.values)
ORDER = OpenApiParameter("order", OpenApiTypes.UUID, description="Only this order's.")
PART = OpenApiExample("A part", {"amount": {"amount": 500, "currency": "USD"}}, request_only=True)
ALL = OpenApiExample("All that is left", {}, request_only=True)
LATER = "A provider that gives no answer leaves the operation `started`; it is finished later."


class ManagePaymentsView(StaffView):
    """Every payment, newest first."""

    rights = {"GET": "payments.view_payment"}

    @operation(
        "list_payments",
        "List payments",
        parameters=[*PAGE_PARAMETERS, STATUS, ORDER],
        responses=page_output(ManagedPaymentOutput, "ManagedPaymentPage"),
    )
    async def get(self, request: Request) -> Response:
        query, wanted = request.query_params, PageRequest.of(request.query_params)
        status = parameters.choice(query, "status", PaymentStatus.values)
        order_id = parameters.uuid(query, "order")

        def page() -> dict[str, object]:
            payments = selectors.all_payments()
            if status:
                payments = payments.filter(status=status)
            if order_id:
                payments = payments.filter(order_id=order_id)
            return page_of(payments, order=["-id"], wanted=wanted, render=managed_payment_json)

        return Response(await in_thread(page))


class ManagePaymentView(StaffView):
    """One payment."""

    rights = {"GET": "payments.view_payment"}

    @operation("get_payment", "Get a payment", responses=ManagedPaymentOutput)
    async def get(self, request: Request, payment_id: UUID) -> Response:
        return await _payment(payment_id)


class CapturePaymentView(StaffView):
    """Taking authorised money."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "capture_payment",
        "Capture an authorised payment, whole or in part",
        request=ChangeInput,
        responses=ManagedPaymentOutput,
        errors=[PaymentDeclined, NotCapturable, CurrencyMismatch],
        examples=[PART, ALL],
        description=LATER,
        calls_out=True,
    )
    async def post(self, request: Request, payment_id: UUID) -> Response:
        amount = ChangeInput.money(request.data)
        key = self.owned_key or (str(uuid4()) if amount else "")
        return await _changed(
            payment_id,
            flows.capture(payment_id=payment_id, amount=amount, key=key, actor=self.actor),
        )


class VoidPaymentView(StaffView):
    """Giving an authorisation up."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "void_payment",
        "Void what is not captured",
        request=None,
        responses=ManagedPaymentOutput,
        errors=[PaymentDeclined, NotVoidable],
        description=LATER,
        calls_out=True,
    )
    async def post(self, request: Request, payment_id: UUID) -> Response:
        return await _changed(payment_id, flows.void(payment_id=payment_id, actor=self.actor))


class RefundPaymentView(StaffView):
    """Giving captured money back."""

    rights = {"POST": "payments.change_payment"}

    @operation(
        "refund_payment",
        "Refund a captured payment, whole or in part",
        request=ChangeInput,
        responses=ManagedPaymentOutput,
        errors=[PaymentDeclined, NotRefundable, CurrencyMismatch],
        examples=[PART, ALL],
        description=LATER,
        requires_key=True,
        calls_out=True,
    )
    async def post(self, request: Request, payment_id: UUID) -> Response:
        amount, key = ChangeInput.money(request.data), self.owned_key
        return await _changed(
            payment_id,
            flows.refund(payment_id=payment_id, amount=amount, key=key, actor=self.actor),
        )


async def _changed(payment_id: UUID, change: Awaitable[flows.Outcome]) -> Response:
    outcome = await change
    if outcome.status == "declined":
        raise PaymentDeclined(payment=str(payment_id), reason=outcome.reason)
    return await _payment(payment_id)


async def _payment(payment_id: UUID) -> Response:
    def found() -> dict[str, object]:
        return managed_payment_json(selectors.all_payments().get(pk=payment_id))

    return Response(await in_thread(found))

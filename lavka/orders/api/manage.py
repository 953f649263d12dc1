"""The staff's orders."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.orders import selectors, services
from lavka.orders.api.serializers import (
    CancelInput,
    ListedOrderOutput,
    ManagedOrderOutput,
    NoteInput,
    PaymentDueInput,
    listed_order_json,
    managed_order_json,
)
from lavka.orders.api.views import NEWEST
from lavka.orders.errors import OrderInTheWrongState
from lavka.orders.rules import OrderPaymentStatus, OrderStatus
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import date_parameter, text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

STATUSES = [status for status in OrderStatus.values if status != OrderStatus.DRAFT]
STATUS = OpenApiParameter("status", str, enum=STATUSES)
PAYMENT = OpenApiParameter("payment_status", str, enum=OrderPaymentStatus.values)
FOUND_BY = (
    "A number, a SKU or its beginning, a postal code, a phone or digits of it (5 or more), or "
    "words that are all in e-mail address, names, cities, postal codes and phones. Case, accents "
    "and separators make no difference. After # stands nothing but a number."
)
QUERY = text_parameter("q", FOUND_BY, max_length=254)
SINCE = date_parameter("placed_since", "Placed on that day or later, by the shop's clock.")
UNTIL = date_parameter("placed_until", "Placed on that day or before, by the shop's clock.")


class ManageOrdersView(StaffView):
    """Every order, newest first."""

    rights = {"GET": "orders.view_order"}

    @operation(
        "list_all_orders",
        "List orders",
        parameters=[*PAGE_PARAMETERS, STATUS, PAYMENT, QUERY, SINCE, UNTIL],
        responses=page_output(ListedOrderOutput, "ManagedOrderPage"),
    )
    async def get(self, request: Request) -> Response:
        query, wanted = request.query_params, PageRequest.of(request.query_params)
        status = parameters.choice(query, "status", STATUSES)
        payment_status = parameters.choice(query, "payment_status", OrderPaymentStatus.values)

        since, until = parameters.days(query, "placed_since", "placed_until")

        def page() -> dict[str, object]:
            orders = selectors.all_orders(
                status=status,
                payment_status=payment_status,
                query=query.get("q", ""),
                since=since,
                until=until,
            )
            return page_of(orders, order=NEWEST, wanted=wanted, render=listed_order_json)

        return Response(await in_thread(page))


class ManageOrderView(StaffView):
    """One order with its history."""

    rights = {"GET": "orders.view_order"}

    @operation("get_any_order", "Get an order and its history", responses=ManagedOrderOutput)
    async def get(self, request: Request, order_id: UUID) -> Response:
        return Response(await in_thread(managed, order_id))


class ManageCancelOrderView(StaffView):
    """The staff call an order off."""

    rights = {"POST": "orders.change_order"}

    @operation(
        "cancel_any_order",
        "Cancel a customer's order",
        request=CancelInput,
        responses=ManagedOrderOutput,
        errors=[OrderInTheWrongState],
        examples=[OpenApiExample("reason", {"reason": "Damaged in store."}, request_only=True)],
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        reason, actor = CancelInput.read(request.data)["reason"], self.actor

        def cancel() -> dict[str, Any]:
            services.cancel_order(order_id=order_id, actor=actor, at=timezone.now(), reason=reason)
            return managed(order_id)

        return Response(await in_thread(cancel))


class ManagePaymentDueView(StaffView):
    """Until when an order may wait for its money."""

    rights = {"PUT": "orders.change_order"}

    @operation(
        "set_order_payment_due",
        "Set until when an order is to be paid",
        request=PaymentDueInput,
        responses=ManagedOrderOutput,
        errors=[OrderInTheWrongState],
        examples=[
            OpenApiExample("later", {"payment_due_at": "2027-03-01T12:00:00Z"}, request_only=True),
            OpenApiExample("no deadline", {"payment_due_at": None}, request_only=True),
        ],
        description="An order that is to be paid later is cancelled by the shop when nothing was "
        "paid and nothing sent by then. One whose money has arrived is captured, and needs no "
        "deadline.",
    )
    async def put(self, request: Request, order_id: UUID) -> Response:
        due_at, actor = PaymentDueInput.read(request.data)["payment_due_at"], self.actor

        def change() -> dict[str, Any]:
            services.set_payment_due(
                order_id=order_id, due_at=due_at, actor=actor, at=timezone.now()
            )
            return managed(order_id)

        return Response(await in_thread(change))


class ManageOrderNotesView(StaffView):
    """What the staff write down about an order."""

    rights = {"POST": "orders.change_order"}

    @operation(
        "add_order_note",
        "Add a note to an order's history",
        request=NoteInput,
        responses={201: ManagedOrderOutput},
        examples=[OpenApiExample("note", {"text": "Call before delivery."}, request_only=True)],
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        text, actor = NoteInput.read(request.data)["text"], self.actor

        def add() -> dict[str, Any]:
            services.add_note(order_id=order_id, text=text, actor=actor, at=timezone.now())
            return managed(order_id)

        return Response(await in_thread(add), status=201)


class ManageOrderLinksView(StaffView):
    """The links that open an order without an account."""

    rights = {"DELETE": "orders.change_order"}

    @operation(
        "revoke_order_links",
        "Revoke the links to an order",
        responses=ManagedOrderOutput,
        description="Whoever has the address of an order's page, from a mail or an answer, sees it"
        " no more. Mails that are sent from now on carry a new link.",
    )
    async def delete(self, request: Request, order_id: UUID) -> Response:
        actor = self.actor

        def revoke() -> dict[str, Any]:
            services.revoke_links(order_id=order_id, actor=actor, at=timezone.now())
            return managed(order_id)

        return Response(await in_thread(revoke))


def managed(order_id: UUID) -> dict[str, Any]:
    """`ManagedOrderOutput` of a placed order; raises Order.DoesNotExist."""
    order = selectors.all_orders().get(pk=order_id)
    return managed_order_json(order, list(selectors.history_of(order_id)))

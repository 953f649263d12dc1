"""Customers read their orders; guests do by the link that carries the order's key."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.orders import selectors, services
from lavka.orders.api.serializers import CancelInput, OrderOutput, order_json
from lavka.orders.errors import OrderInTheWrongState
from lavka.orders.models import Order
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.tokens import Caller
from lavka.web.views import CustomerView, View, in_thread

NEWEST = ("-placed_at", "-id")
KEY = text_parameter("key", "The order's key, in place of an account: it ends after some time.")

NUMBER = OpenApiParameter(
    "number", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, OpenApiParameter.PATH
)


class OrdersView(CustomerView):
    """The customer's own orders."""

    @operation(
        "list_orders",
        "List your orders",
        parameters=PAGE_PARAMETERS,
        responses=page_output(OrderOutput, "OrderPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            orders = selectors.orders_of(self.caller.id)
            return page_of(orders, order=NEWEST, wanted=wanted, render=order_json)

        return Response(await in_thread(page))


class OneOrderView(View):
    """A view of the order that the path names, for its customer or for whoever has its key."""

    guest_proof = "key"

    def require_reachable(self) -> None:
        """Raises Order.DoesNotExist."""
        user_id, key = reader_of(self.request)
        selectors.order_for(self.kwargs["order_id"], customer_id=user_id, key=key)


class OrderView(OneOrderView):
    """One order, for its customer or for whoever has its key."""

    @operation("get_order", "Get an order", parameters=[KEY], responses=OrderOutput)
    async def get(self, request: Request, order_id: UUID) -> Response:
        user_id, key = reader_of(request)

        def found() -> dict[str, Any]:
            order = selectors.order_for(order_id, customer_id=user_id, key=key)
            return _shown(order, user_id, key)

        return Response(await in_thread(found))


class NumberedOrderView(View):
    """One order, for a shop front whose links carry numbers."""

    @operation(
        "find_order",
        "Find an order by its number",
        parameters=[NUMBER, KEY],
        responses=OrderOutput,
        description="For its customer, or for whoever has its key, as a link in a mail has it. "
        "Everything else about the order is asked for by its `id`.",
    )
    async def get(self, request: Request, number: int) -> Response:
        user_id, key = reader_of(request)

        def found() -> dict[str, Any]:
            return order_json(selectors.order_numbered(number, customer_id=user_id, key=key))

        return Response(await in_thread(found))


class CancelOrderView(OneOrderView):
    """A customer, or a guest with the key, calls an order off."""

    @operation(
        "cancel_order",
        "Cancel an order",
        parameters=[KEY],
        request=CancelInput,
        responses=OrderOutput,
        errors=[OrderInTheWrongState],
        examples=[OpenApiExample("reason", {"reason": "Ordered twice."}, request_only=True)],
        description="As long as nothing was shipped. What was paid goes back by itself.",
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        (user_id, key), reason = reader_of(request), CancelInput.read(request.data)["reason"]

        def cancel() -> dict[str, Any]:
            selectors.order_for(order_id, customer_id=user_id, key=key)
            services.cancel_order(
                order_id=order_id, actor=self.actor, at=timezone.now(), reason=reason
            )
            return _shown(selectors.all_orders().get(pk=order_id), user_id, key)

        return Response(await in_thread(cancel))


def _shown(order: Order, user_id: UUID | None, key: str) -> dict[str, Any]:
    """For its customer with a key of today, for anybody else with the one that they came with."""
    is_own = user_id is not None and order.customer_id == user_id
    return order_json(order, "" if is_own else key)


def reader_of(request: Request) -> tuple[UUID | None, str]:
    """Who asks for an order: a customer's id, if any, and the key, if any."""
    user = request.user
    user_id = user.id if isinstance(user, Caller) else None
    return user_id, request.query_params.get("key", "")

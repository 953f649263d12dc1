"""Customers follow their parcels and ask to send things back; guests do by the order's key."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.fulfilment import selectors, services
from lavka.fulfilment.api.serializers import (
    ReturnInput,
    ReturnOutput,
    ReturnsOutput,
    ShipmentsOutput,
    return_json,
    shipment_json,
)
from lavka.fulfilment.errors import NothingToReturn
from lavka.fulfilment.services import ReturnWish
from lavka.orders.api.views import KEY, OneOrderView, reader_of
from lavka.orders.selectors import order_for
from lavka.web.bodies import KIB
from lavka.web.schema import operation
from lavka.web.views import in_thread

RETURN = OpenApiExample(
    "return",
    {
        "lines": [{"line_id": "01a20adc-bec6-7edd-9eea-85eaf4679678", "quantity": 1}],
        "reason": "damaged",
        "comment": "The handle is broken.",
    },
    request_only=True,
)


class ShipmentsView(OneOrderView):
    """The parcels of one order."""

    @operation(
        "list_shipments", "List an order's shipments", parameters=[KEY], responses=ShipmentsOutput
    )
    async def get(self, request: Request, order_id: UUID) -> Response:
        user_id, key = reader_of(request)

        def found() -> dict[str, Any]:
            order_for(order_id, customer_id=user_id, key=key)
            return {"items": [shipment_json(each) for each in selectors.shipments_of(order_id)]}

        return Response(await in_thread(found))


class ReturnsView(OneOrderView):
    """The returns of one order."""

    @operation("list_returns", "List an order's returns", parameters=[KEY], responses=ReturnsOutput)
    async def get(self, request: Request, order_id: UUID) -> Response:
        user_id, key = reader_of(request)

        def found() -> dict[str, Any]:
            order_for(order_id, customer_id=user_id, key=key)
            return {"items": [return_json(each) for each in selectors.returns_of(order_id)]}

        return Response(await in_thread(found))

    @operation(
        "request_return",
        "Ask to send something back",
        parameters=[KEY],
        request=ReturnInput,
        max_body_bytes=32 * KIB,
        responses={201: ReturnOutput},
        errors=[NothingToReturn],
        examples=[RETURN],
        requires_key=True,
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        (user_id, key), body = reader_of(request), ReturnInput.read(request.data)
        wish = ReturnWish(quantities=body["lines"], reason=body["reason"], comment=body["comment"])

        def ask() -> dict[str, Any]:
            order_for(order_id, customer_id=user_id, key=key)
            asked = services.request_return(
                order_id=order_id, wish=wish, actor=self.actor, at=timezone.now()
            )
            return return_json(selectors.all_returns().get(pk=asked.pk))

        return Response(await in_thread(ask), status=201)

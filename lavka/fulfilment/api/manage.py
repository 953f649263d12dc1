"""The staff send parcels and take returns back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.fulfilment import selectors, services
from lavka.fulfilment.api.serializers import (
    ReceivedInput,
    ReturnOutput,
    ShipmentInput,
    ShipmentOutput,
    ShipmentsOutput,
    return_json,
    shipment_json,
)
from lavka.fulfilment.errors import ReturnInTheWrongState
from lavka.fulfilment.models import ReturnRequest
from lavka.fulfilment.rules import ReturnStatus
from lavka.fulfilment.services import Parcel
from lavka.inventory.errors import NotOnHand
from lavka.orders import selectors as orders
from lavka.orders.api.manage import QUERY
from lavka.orders.errors import MoreThanLeft, OrderInTheWrongState
from lavka.web import parameters
from lavka.web.bodies import KIB
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

STATUS = OpenApiParameter("status", str, enum=ReturnStatus.values)
PARCEL = OpenApiExample(
    "parcel",
    {
        "lines": [{"line_id": "01a20adc-bec6-7edd-9eea-85eaf4679678", "quantity": 2}],
        "carrier": "Post",
        "tracking_number": "RR123456785GB",
    },
    request_only=True,
)


class ManageShipmentsView(StaffView):
    """An order's parcels; send it, or a part of it."""

    rights = {"GET": "fulfilment.view_shipment", "POST": "fulfilment.add_shipment"}

    @operation("list_order_shipments", "List the shipments of an order", responses=ShipmentsOutput)
    async def get(self, request: Request, order_id: UUID) -> Response:
        def shipments() -> list[dict[str, Any]]:
            orders.all_orders().only("pk").get(pk=order_id)
            return [shipment_json(each) for each in selectors.shipments_of(order_id)]

        return Response({"items": await in_thread(shipments)})

    @operation(
        "send_shipment",
        "Send a shipment",
        request=ShipmentInput,
        max_body_bytes=32 * KIB,
        responses={201: ShipmentOutput},
        errors=[OrderInTheWrongState, MoreThanLeft, NotOnHand],
        examples=[PARCEL],
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        body = ShipmentInput.read(request.data)
        parcel = Parcel(quantities=body.pop("lines"), **body)
        actor = self.actor

        def send() -> dict[str, Any]:
            sent = services.send_shipment(
                order_id=order_id, parcel=parcel, actor=actor, at=timezone.now()
            )
            return shipment_json(selectors.all_shipments().get(pk=sent.pk))

        return Response(await in_thread(send), status=201)


class ManageShipmentView(StaffView):
    """One parcel."""

    rights = {"GET": "fulfilment.view_shipment"}

    @operation("get_shipment", "Get a shipment", responses=ShipmentOutput)
    async def get(self, request: Request, shipment_id: UUID) -> Response:
        def shipment() -> dict[str, Any]:
            return shipment_json(selectors.all_shipments().get(pk=shipment_id))

        return Response(await in_thread(shipment))


class ManageDeliveredView(StaffView):
    """A parcel arrived."""

    rights = {"POST": "fulfilment.change_shipment"}

    @operation(
        "mark_delivered", "Mark a shipment as delivered", request=None, responses=ShipmentOutput
    )
    async def post(self, request: Request, shipment_id: UUID) -> Response:
        actor = self.actor

        def mark() -> dict[str, Any]:
            services.mark_delivered(shipment_id=shipment_id, actor=actor, at=timezone.now())
            return shipment_json(selectors.all_shipments().get(pk=shipment_id))

        return Response(await in_thread(mark))


class ManageReturnsView(StaffView):
    """Every return, newest first; `status=requested` waits for a decision."""

    rights = {"GET": "fulfilment.view_returnrequest"}

    @operation(
        "list_all_returns",
        "List returns",
        parameters=[*PAGE_PARAMETERS, STATUS, QUERY],
        responses=page_output(ReturnOutput, "ReturnPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)
        status = parameters.choice(request.query_params, "status", ReturnStatus.values)
        query = request.query_params.get("q", "")

        def page() -> dict[str, object]:
            returns = selectors.all_returns()
            if status:
                returns = returns.filter(status=status)
            if query.strip():
                returns = returns.filter(order_id__in=orders.ids_matching(query))
            return page_of(returns, order=("-id",), wanted=wanted, render=return_json)

        return Response(await in_thread(page))


class ManageReturnView(StaffView):
    """One return."""

    rights = {"GET": "fulfilment.view_returnrequest"}

    @operation("get_return", "Get a return", responses=ReturnOutput)
    async def get(self, request: Request, return_id: UUID) -> Response:
        def asked() -> dict[str, Any]:
            return return_json(selectors.all_returns().get(pk=return_id))

        return Response(await in_thread(asked))


class _ReturnStepView(StaffView):
    rights = {"POST": "fulfilment.change_returnrequest"}

    async def _step(
        self, return_id: UUID, step: Callable[..., ReturnRequest], **how: bool
    ) -> Response:
        actor = self.actor

        def take() -> dict[str, Any]:
            step(return_id=return_id, actor=actor, at=timezone.now(), **how)
            return return_json(selectors.all_returns().get(pk=return_id))

        return Response(await in_thread(take))


class ManageApproveReturnView(_ReturnStepView):
    """The customer may send it back."""

    @operation(
        "approve_return",
        "Approve a return",
        request=None,
        responses=ReturnOutput,
        errors=[ReturnInTheWrongState],
    )
    async def post(self, request: Request, return_id: UUID) -> Response:
        return await self._step(return_id, services.decide_return, is_approved=True)


class ManageRefuseReturnView(_ReturnStepView):
    """The customer keeps it."""

    @operation(
        "refuse_return",
        "Refuse a return",
        request=None,
        responses=ReturnOutput,
        errors=[ReturnInTheWrongState],
    )
    async def post(self, request: Request, return_id: UUID) -> Response:
        return await self._step(return_id, services.decide_return, is_approved=False)


class ManageReceiveReturnView(_ReturnStepView):
    """It came back."""

    @operation(
        "receive_return",
        "Note that a return came back",
        request=ReceivedInput,
        responses=ReturnOutput,
        errors=[ReturnInTheWrongState],
        examples=[OpenApiExample("as new", {"restock": True}, request_only=True)],
    )
    async def post(self, request: Request, return_id: UUID) -> Response:
        restock = ReceivedInput.read(request.data)["restock"]
        return await self._step(return_id, services.receive_return, restock=restock)

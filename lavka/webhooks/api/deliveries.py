"""Staff look at what was delivered, and send it again."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread
from lavka.webhooks import selectors, services
from lavka.webhooks.api.endpoints import EndpointWriteView
from lavka.webhooks.api.serializers import (
    DeliveryDetailOutput,
    DeliveryOutput,
    ReplayInput,
    ReplayOutput,
    delivery_detail_json,
    delivery_json,
)
from lavka.webhooks.errors import DeliveryUnderWay, DeliveryWithheld, EndpointDisabled
from lavka.webhooks.rules import NAMES, PING, RIGHTS, DeliveryStatus

ENDPOINT = OpenApiParameter("endpoint", OpenApiTypes.UUID, description="Only this endpoint's.")
STATUS = OpenApiParameter("status", str, enum=DeliveryStatus.values)
EVENT = OpenApiParameter("event", str, enum=[*NAMES, PING])
SINCE = OpenApiExample(
    "What failed since an outage began", {"since": "2026-03-01T12:00:00Z"}, request_only=True
)


class DeliveriesView(StaffView):
    """The log, newest first."""

    rights = {"GET": "webhooks.view_delivery"}

    @operation(
        "list_webhook_deliveries",
        "List webhook deliveries",
        parameters=[*PAGE_PARAMETERS, ENDPOINT, STATUS, EVENT],
        responses=page_output(DeliveryOutput, "WebhookDeliveryPage"),
    )
    async def get(self, request: Request) -> Response:
        query, wanted = request.query_params, PageRequest.of(request.query_params)
        chosen: dict[str, Any] = {
            "endpoint_id": parameters.uuid(query, "endpoint"),
            "status": parameters.choice(query, "status", DeliveryStatus.values),
            "event": parameters.choice(query, "event", [*NAMES, PING]),
        }

        def page() -> dict[str, object]:
            found = selectors.deliveries(**chosen)
            return page_of(found, order=["-id"], wanted=wanted, render=delivery_json)

        return Response(await in_thread(page))


class DeliveryView(StaffView):
    """One delivery with its attempts."""

    rights = {"GET": "webhooks.view_delivery"}

    @operation(
        "get_webhook_delivery",
        "Get a webhook delivery and its attempts",
        responses=DeliveryDetailOutput,
    )
    async def get(self, request: Request, delivery_id: UUID) -> Response:
        held = await self.held(RIGHTS)

        def found() -> dict[str, Any]:
            return delivery_detail_json(selectors.with_attempts().get(pk=delivery_id), held)

        return Response(await in_thread(found))


class ReplayView(EndpointWriteView):
    """Sending one delivery again."""

    rights = {"POST": "webhooks.change_delivery"}

    @operation(
        "replay_webhook_delivery",
        "Send a delivery again",
        request=None,
        responses={202: DeliveryOutput},
        errors=[DeliveryUnderWay, DeliveryWithheld, EndpointDisabled],
        description="Under the same `webhook-id`, within seconds. It takes the right to read what "
        "the event is about.",
    )
    async def post(self, request: Request, delivery_id: UUID) -> Response:
        replayed = await in_thread(
            services.replay_delivery,
            delivery_id=delivery_id,
            at=timezone.now(),
            held=self.held_rights,
        )
        return Response(delivery_json(replayed), status=202)


class ReplayManyView(EndpointWriteView):
    """Sending again what an endpoint missed."""

    rights = {"POST": "webhooks.change_delivery"}

    @operation(
        "replay_webhook_deliveries",
        "Send an endpoint's deliveries again",
        request=ReplayInput,
        responses={202: ReplayOutput},
        errors=[EndpointDisabled],
        examples=[SINCE],
        description="Those that were given up or called off, unless `statuses` says otherwise; not "
        "what the endpoint's owner may not read. It takes the rights to read what they are about.",
    )
    async def post(self, request: Request, endpoint_id: UUID) -> Response:
        chosen, now = ReplayInput.read(request.data), timezone.now()
        count = await in_thread(
            services.replay_deliveries,
            endpoint_id=endpoint_id,
            since=chosen["since"],
            until=chosen["until"] or now,
            statuses=chosen["statuses"],
            at=now,
            held=self.held_rights,
        )
        return Response({"replayed": count}, status=202)


class PingView(StaffView):
    """Trying an endpoint out."""

    rights = {"POST": "webhooks.change_endpoint"}

    @operation(
        "ping_webhook_endpoint",
        "Send a test message",
        request=None,
        responses={202: DeliveryOutput},
        errors=[EndpointDisabled],
        description="It is sent within seconds; look at the delivery for what came of it.",
    )
    async def post(self, request: Request, endpoint_id: UUID) -> Response:
        ping = await in_thread(services.ping_endpoint, endpoint_id=endpoint_id, at=timezone.now())
        return Response(delivery_json(ping), status=202)

"""Staff say which programs are told of what."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread
from lavka.webhooks import selectors, services
from lavka.webhooks.api.serializers import (
    EndpointChangeInput,
    EndpointInput,
    EndpointOutput,
    KeysOutput,
    NewEndpointOutput,
    endpoint_json,
    keys_json,
)
from lavka.webhooks.rules import RIGHTS

EXAMPLE = OpenApiExample(
    "The warehouse listens to orders",
    {
        "name": "Warehouse",
        "url": "https://warehouse.example/hooks",
        "events": ["orders.order_placed", "orders.order_cancelled"],
    },
    request_only=True,
)
DESCRIPTION = (
    "Messages are signed as in Standard Webhooks 1.0. Each comes at least once, a repetition under "
    "the same `webhook-id`, and in no promised order. Any 2xx answer takes it; 410 ends them all. "
    "Whoever wants it has the rights to read what the events are about, and owns the endpoint: "
    "what its owner may not read any more is not sent, and `withheld_events` names it."
)


class EndpointWriteView(StaffView):
    """A view that decides what an endpoint is sent, as far as who asks may read it."""

    held_rights: frozenset[str] = frozenset()

    async def authorize(self) -> None:
        """Read the rights here: with an `Idempotency-Key`, a handler runs in a worker thread."""
        await super().authorize()
        if self.request.method in {"POST", "PATCH"}:
            self.held_rights = await self.held(RIGHTS)


class EndpointsView(EndpointWriteView):
    """Every endpoint, newest first."""

    rights = {"GET": "webhooks.view_endpoint", "POST": "webhooks.add_endpoint"}

    @operation(
        "list_webhook_endpoints",
        "List webhook endpoints",
        parameters=PAGE_PARAMETERS,
        responses=page_output(EndpointOutput, "WebhookEndpointPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            return page_of(
                selectors.endpoints(), order=["-id"], wanted=wanted, render=endpoint_json
            )

        return Response(await in_thread(page))

    @operation(
        "create_webhook_endpoint",
        "Tell a program about events",
        request=EndpointInput,
        responses={201: NewEndpointOutput},
        examples=[EXAMPLE],
        description=DESCRIPTION,
    )
    async def post(self, request: Request) -> Response:
        content, held, by = EndpointInput.read(request.data), self.held_rights, self.caller.id

        def create() -> dict[str, Any]:
            endpoint, keys = services.create_endpoint(held=held, by=by, **content)
            return _endpoint(endpoint.pk) | {"secret": keys.shared}

        return Response(await in_thread(create), status=201)


class EndpointView(EndpointWriteView):
    """One endpoint."""

    rights = {
        "GET": "webhooks.view_endpoint",
        "PATCH": "webhooks.change_endpoint",
        "DELETE": "webhooks.delete_endpoint",
    }

    @operation("get_webhook_endpoint", "Get a webhook endpoint", responses=EndpointOutput)
    async def get(self, request: Request, endpoint_id: UUID) -> Response:
        return Response(await in_thread(_endpoint, endpoint_id))

    @operation(
        "update_webhook_endpoint",
        "Change, enable or disable a webhook endpoint",
        request=EndpointChangeInput,
        responses=EndpointOutput,
        examples=[OpenApiExample("Disable", {"status": "disabled"}, request_only=True)],
        description="Disabling calls off what is under way. Enabling forgets earlier failures. "
        "Whoever sends `url`, `events`, `enabled` or `{}` owns the endpoint from now on.",
    )
    async def patch(self, request: Request, endpoint_id: UUID) -> Response:
        content: Any = EndpointChangeInput.read(request.data, partial=True)
        held, by = self.held_rights, self.caller.id

        def change() -> dict[str, Any]:
            services.update_endpoint(
                endpoint_id=endpoint_id, at=timezone.now(), held=held, by=by, **content
            )
            return _endpoint(endpoint_id)

        return Response(await in_thread(change))

    @operation(
        "delete_webhook_endpoint",
        "Delete a webhook endpoint with its log",
        responses={204: None},
    )
    async def delete(self, request: Request, endpoint_id: UUID) -> Response:
        await in_thread(services.delete_endpoint, endpoint_id=endpoint_id)
        return Response(status=204)


class KeysView(EndpointWriteView):
    """The keys that sign for an endpoint."""

    rights = {"POST": "webhooks.change_endpoint"}

    @operation(
        "rotate_webhook_keys",
        "Sign with new keys",
        request=None,
        responses={201: KeysOutput},
        description="The keys before sign too for 24 hours; the ones before those no more. It "
        "takes the rights to read what the endpoint's events are about.",
    )
    async def post(self, request: Request, endpoint_id: UUID) -> Response:
        keys = await in_thread(
            services.rotate_keys, endpoint_id=endpoint_id, at=timezone.now(), held=self.held_rights
        )
        return Response(keys_json(keys), status=201)


def _endpoint(endpoint_id: UUID) -> dict[str, Any]:
    return endpoint_json(selectors.endpoints().get(pk=endpoint_id))

"""Providers tell what happened."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel.actors import Actor
from lavka.kernel.idempotency import KeyReused
from lavka.payments import services
from lavka.payments.api.serializers import WebhookOutput
from lavka.payments.errors import WrongSignature
from lavka.web.bodies import KIB
from lavka.web.limits import Limit
from lavka.web.schema import operation
from lavka.web.views import View, in_thread

# What a provider tells of one event is a few kilobytes.
MAX_BYTES = 256 * KIB


class WebhookView(View):
    """The inbox of one provider; the signature over the raw body is what lets in."""

    # Providers name their events: `services.receive_webhook` tells a repetition by that.
    keeps_answers = False
    write_limit = Limit("webhook", burst=1200, per_seconds=60)

    @property
    def actor(self) -> Actor:
        """The provider."""
        return Actor.provider(self.kwargs["method"])

    @operation(
        "receive_payment_webhook",
        "Receive a provider's webhook",
        request=OpenApiTypes.OBJECT,
        responses=WebhookOutput,
        errors=[WrongSignature, KeyReused],
        max_body_bytes=MAX_BYTES,
        description="The body is the provider's own and is signed by it. Sent again, it is"
        " accepted again and changes nothing.",
    )
    async def post(self, request: Request, method: str) -> Response:
        await in_thread(
            services.receive_webhook,
            method=method,
            body=request._request.body,
            headers=request._request.headers,
            at=timezone.now(),
        )
        return Response({"received": True})

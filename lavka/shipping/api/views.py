"""Staff keep the shipping rates."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog.errors import Taken
from lavka.shipping import selectors, services
from lavka.shipping.api.serializers import ShippingRateInput, ShippingRateOutput, rate_json
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

EXAMPLE = OpenApiExample(
    "A rate",
    {
        "country": "DE",
        "name": "Parcel",
        "delivery": "2–4 days",
        "price": {"amount": 499, "currency": "USD"},
        "free_from": {"amount": 5000, "currency": "USD"},
    },
    request_only=True,
)


class ShippingRatesView(StaffView):
    """Every rate."""

    rights = {"GET": "shipping.view_shippingrate", "POST": "shipping.add_shippingrate"}

    @operation(
        "list_shipping_rates",
        "List shipping rates by country",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ShippingRateOutput, "ShippingRatePage"),
    )
    async def get(self, request: Request) -> Response:
        wanted, order = PageRequest.of(request.query_params), ("country", "position", "name")

        def page() -> dict[str, object]:
            return page_of(selectors.rates(), order=order, wanted=wanted, render=rate_json)

        return Response(await in_thread(page))

    @operation(
        "create_shipping_rate",
        "Add a shipping rate",
        request=ShippingRateInput,
        responses={201: ShippingRateOutput},
        errors=[Taken],
        examples=[EXAMPLE],
    )
    async def post(self, request: Request) -> Response:
        values: Any = ShippingRateInput.read(request.data)
        return Response(rate_json(await in_thread(services.create_rate, **values)), status=201)


class ShippingRateView(StaffView):
    """One rate."""

    rights = {
        "GET": "shipping.view_shippingrate",
        "PATCH": "shipping.change_shippingrate",
        "DELETE": "shipping.delete_shippingrate",
    }

    @operation("get_shipping_rate", "Get a shipping rate", responses=ShippingRateOutput)
    async def get(self, request: Request, rate_id: UUID) -> Response:
        return Response(rate_json(await in_thread(selectors.rates().get, pk=rate_id)))

    @operation(
        "update_shipping_rate",
        "Change a shipping rate",
        request=ShippingRateInput,
        responses=ShippingRateOutput,
        errors=[Taken],
        examples=[OpenApiExample("Its turn", {"position": 2}, request_only=True)],
    )
    async def patch(self, request: Request, rate_id: UUID) -> Response:
        values: Any = ShippingRateInput.read(request.data, partial=True)
        return Response(rate_json(await in_thread(services.update_rate, rate_id=rate_id, **values)))

    @operation("delete_shipping_rate", "Delete a shipping rate", responses={204: None})
    async def delete(self, request: Request, rate_id: UUID) -> Response:
        await in_thread(services.delete_rate, rate_id=rate_id)
        return Response(status=204)

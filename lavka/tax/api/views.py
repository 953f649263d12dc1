"""Staff keep the tax rates."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.tax import selectors, services
from lavka.tax.api.serializers import TaxRateInput, TaxRateOutput, rate_json
from lavka.tax.errors import RatesOverlap
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

EXAMPLE = OpenApiExample(
    "A rate",
    {"country": "DE", "percent": "19", "valid_from": "2021-01-01"},
    request_only=True,
)
EXPORT = OpenApiExample(
    "An export",
    {
        "country": "US",
        "percent": "0",
        "reason": "Export, Directive 2006/112/EC, article 146",
        "valid_from": "2021-01-01",
    },
    request_only=True,
)


class TaxRatesView(StaffView):
    """Every rate."""

    rights = {"GET": "tax.view_taxrate", "POST": "tax.add_taxrate"}

    @operation(
        "list_tax_rates",
        "List tax rates by country",
        parameters=PAGE_PARAMETERS,
        responses=page_output(TaxRateOutput, "TaxRatePage"),
    )
    async def get(self, request: Request) -> Response:
        wanted, order = PageRequest.of(request.query_params), ("country", "-valid_from", "id")

        def page() -> dict[str, object]:
            return page_of(selectors.rates(), order=order, wanted=wanted, render=rate_json)

        return Response(await in_thread(page))

    @operation(
        "create_tax_rate",
        "Add a tax rate",
        request=TaxRateInput,
        responses={201: TaxRateOutput},
        errors=[RatesOverlap],
        examples=[EXAMPLE, EXPORT],
    )
    async def post(self, request: Request) -> Response:
        values: Any = TaxRateInput.read(request.data)
        return Response(rate_json(await in_thread(services.create_rate, **values)), status=201)


class TaxRateView(StaffView):
    """One rate."""

    rights = {
        "GET": "tax.view_taxrate",
        "PATCH": "tax.change_taxrate",
        "DELETE": "tax.delete_taxrate",
    }

    @operation("get_tax_rate", "Get a tax rate", responses=TaxRateOutput)
    async def get(self, request: Request, rate_id: UUID) -> Response:
        return Response(rate_json(await in_thread(selectors.rates().get, pk=rate_id)))

    @operation(
        "update_tax_rate",
        "Change a tax rate",
        request=TaxRateInput,
        responses=TaxRateOutput,
        errors=[RatesOverlap],
        examples=[OpenApiExample("Its end", {"valid_until": "2027-01-01"}, request_only=True)],
    )
    async def patch(self, request: Request, rate_id: UUID) -> Response:
        values: Any = TaxRateInput.read(request.data, partial=True)
        return Response(rate_json(await in_thread(services.update_rate, rate_id=rate_id, **values)))

    @operation("delete_tax_rate", "Delete a tax rate", responses={204: None})
    async def delete(self, request: Request, rate_id: UUID) -> Response:
        await in_thread(services.delete_rate, rate_id=rate_id)
        return Response(status=204)

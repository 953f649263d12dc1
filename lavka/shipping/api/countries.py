"""Where the shop sends to."""

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.addresses.api.serializers import CountriesOutput
from lavka.addresses.countries import names
from lavka.shipping import selectors
from lavka.shipping.options import FlatRates, rates
from lavka.web.caching import CATALOGUE
from lavka.web.schema import operation
from lavka.web.views import View

COUNTRIES = OpenApiExample(
    "Some of them",
    {
        "items": [
            {"code": "FR", "name": "France", "ships_to": True},
            {"code": "GL", "name": "Greenland", "ships_to": False},
        ]
    },
    response_only=True,
)


class CountriesView(View):
    """Every country."""

    cache_control = CATALOGUE

    @operation(
        "list_countries",
        "List countries, and whether the shop ships there",
        responses=CountriesOutput,
        examples=[COUNTRIES],
        description="In the order of their names. `/api/v1/countries/{code}/` has the rules of a "
        "country's addresses.",
    )
    async def get(self, request: Request) -> Response:
        # Another plug may ask a carrier, who knows each purchase's answer only.
        is_known = isinstance(rates(), FlatRates)
        served = await selectors.countries_served() if is_known else None
        items = [
            {
                "code": code,
                "name": name,
                "ships_to": None if served is None else code in served or "" in served,
            }
            for code, name in names().items()
        ]
        return Response({"items": items})

"""Where the shop sends to."""

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.addresses.api.serializers import CountriesOutput
from lavka.addresses.countries import CODES, names
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
        served = await countries_served()
        items = [
            {"code": code, "name": name, "ships_to": None if served is None else code in served}
            for code, name in names().items()
        ]
        return Response({"items": items})


async def countries_served() -> frozenset[str] | None:
    """The countries that the shop sends to; None where that is decided for each purchase."""
    # Another plug may ask a carrier, who knows each purchase's answer only.
    if not isinstance(rates(), FlatRates):
        return None
    served = await selectors.countries_served()
    return frozenset(CODES) if "" in served else served

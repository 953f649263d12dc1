"""What a country asks of an address, for forms."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request

from lavka.addresses.api.serializers import AddressRulesOutput
from lavka.addresses.api.shapes import address_rules
from lavka.addresses.countries import CODES
from lavka.kernel.errors import NotFound
from lavka.web.answers import Ready
from lavka.web.schema import operation
from lavka.web.views import View

# It changes with a release.
AN_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
CODE = OpenApiParameter(
    "code",
    {"type": "string", "pattern": "^[A-Za-z]{2}$"},
    OpenApiParameter.PATH,
    description="ISO 3166-1 alpha-2",
)
_LABELS = {
    "name": "Name",
    "line1": "Line 1",
    "line2": "Line 2",
    "city": "City",
    "region": "Province",
    "postal_code": "Postal code",
    "country": "Country",
    "phone": "Phone",
}


def _example_field(name: str, max_length: int, *, required: bool = True) -> dict[str, object]:
    return {
        "name": name,
        "label": _LABELS[name],
        "required": required,
        "upper_case": name not in {"country", "phone"},
        "max_length": max_length,
    }


CANADA = OpenApiExample(
    "Canada",
    {
        "code": "CA",
        "name": "Canada",
        "lines": [
            [_example_field("name", 150)],
            [_example_field("line1", 200)],
            [_example_field("line2", 200, required=False)],
            [
                _example_field("city", 100),
                _example_field("region", 100),
                _example_field("postal_code", 20),
            ],
            [_example_field("country", 2)],
            [_example_field("phone", 32, required=False)],
        ],
        "postal_code": {
            "pattern": r"[ABCEGHJKLMNPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d",
            "examples": ["H3Z 2Y7", "V8X 3X4", "T0L 1K0"],
        },
        "areas": [
            {"code": "AB", "name": "Alberta", "iso_code": "CA-AB"},
            {"code": "ON", "name": "Ontario", "iso_code": "CA-ON"},
        ],
        "areas_closed": True,
    },
    response_only=True,
)


class CountryView(View):
    """A country's address form."""

    cache_control = AN_HOUR

    @operation(
        "get_country",
        "Get a country's address rules",
        parameters=[CODE],
        responses=AddressRulesOutput,
        examples=[CANADA],
        description="What an address form for the country shows: its fields in their order and by "
        "their names there, which of them are required, how postal codes look, and the areas that "
        "`region` takes. Addresses are checked by the same rules wherever they are sent.",
    )
    async def get(self, request: Request, code: str) -> Ready:
        country = code.upper()
        if country not in CODES:
            raise NotFound
        return Ready(address_rules(country))

"""What a shop front needs to begin."""

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.addresses.countries import CODES
from lavka.shipping.api.countries import countries_served
from lavka.storefront.api.serializers import ShopOutput
from lavka.storefront.api.shapes import LINKS, shop_json
from lavka.web.caching import CATALOGUE
from lavka.web.schema import operation
from lavka.web.views import View

_STRIPE = {
    "code": "stripe",
    "name": "Card",
    "options": {
        "fields": [
            {"name": "token", "required": True, "choices": []},
            {"name": "return_url", "required": False, "choices": ["https://shop.example"]},
        ],
        "actions": ["redirect", "stripe"],
        "publishable_key": "pk_live_51…",
    },
}
SHOP = OpenApiExample(
    "A shop in Germany",
    {
        "name": "Barsik & Bim",
        "url": "https://shop.example",
        "currencies": [{"code": "EUR", "digits": 2}],
        "languages": [{"code": "en", "name": "English"}, {"code": "ru", "name": "Русский"}],
        "countries": [{"code": "AT", "name": "Austria"}, {"code": "DE", "name": "Germany"}],
        "channels": [
            {
                "slug": "default",
                "name": "Barsik & Bim",
                "currency": "EUR",
                "default_language": "en",
                "languages": ["en", "ru"],
                "countries": ["AT", "DE"],
                "prices_include_tax": True,
            }
        ],
        "payment_methods": [_STRIPE],
        "password_rules": {
            "min_length": 8,
            "max_length": 256,
            "texts": ["Your password must contain at least 8 characters."],
        },
        "limits": {
            "cart_lines": 100,
            "line_quantity": 999,
            "page_default": 20,
            "page_max": 100,
            "body_bytes": 16384,
            "query_characters": 8192,
            "query_parameters": 100,
            "quote_seconds": 900,
            "payment_seconds": 90,
            "order_link_days": 90,
            "cart_days": 30,
            "wishlists": 20,
            "wishlist_items": 100,
            "stock_alerts": 100,
            "idempotency_hours": 48,
            "access_token_seconds": 300,
            "refresh_token_seconds": 2592000,
        },
        "media": {"thumbnail_widths": [160, 480, 960]},
        "links": LINKS,
    },
    response_only=True,
)


class ShopView(View):
    """The shop."""

    cache_control = CATALOGUE

    @operation(
        "get_shop",
        "Get what a shop front needs to begin",
        responses=ShopOutput,
        examples=[SHOP],
        description="Currency, languages, countries, payment methods and how each is used, rules "
        "and limits. Where a carrier decides for each purchase, `countries` are all there are.",
    )
    async def get(self, request: Request) -> Response:
        served = await countries_served()
        return Response(shop_json(frozenset(CODES) if served is None else served))

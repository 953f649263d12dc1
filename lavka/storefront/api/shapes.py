"""The shop's JSON: read from the settings, gateways, validators and bounds that decide."""

import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    get_default_password_validators,
)
from django.utils.translation import get_language_info
from rest_framework_simplejwt.tokens import AccessToken

from lavka.accounts.rules import CUSTOMERS_SESSION
from lavka.accounts.validators import MAX_PASSWORD
from lavka.addresses.countries import COUNTRIES_PATH, names
from lavka.carts.models import MAX_LINES, MAX_QUANTITY
from lavka.catalog.pictures import WIDTHS
from lavka.kernel.conf import options
from lavka.kernel.links import front_origins
from lavka.kernel.money import exponent_of
from lavka.payments.gateways import registry
from lavka.web import idempotency
from lavka.web.bodies import SMALL_BYTES
from lavka.web.pages import DEFAULT_LIMIT, MAX_LIMIT
from lavka.web.parameters import MAX_PARAMETERS, MAX_QUERY
from lavka.wishlists.models import MAX_ALERTS, MAX_ITEMS, MAX_LISTS

LINKS = {
    "docs": "/api/docs/",
    "schema": "/api/schema/",
    "errors": "/api/docs/errors/",
    "countries": COUNTRIES_PATH,
    "categories": "/api/v1/categories/",
    "products": "/api/v1/products/",
    "facets": "/api/v1/products/facets/",
    "carts": "/api/v1/carts/",
}


def shop_json(served: frozenset[str]) -> dict[str, Any]:
    """`ShopOutput` of a shop that sends to the countries `served`, in the active language."""
    countries = {code: name for code, name in names().items() if code in served}
    languages = [code for code, _name in settings.LANGUAGES]
    return {
        "name": options.shop_name,
        "url": options.shop_url,
        "currencies": [{"code": options.currency, "digits": exponent_of(options.currency)}],
        "languages": [
            {"code": code, "name": get_language_info(code)["name_local"]} for code in languages
        ],
        "countries": [{"code": code, "name": name} for code, name in countries.items()],
        "channels": [
            {
                "slug": "default",
                "name": options.shop_name,
                "currency": options.currency,
                "default_language": settings.LANGUAGE_CODE,
                "languages": languages,
                "countries": sorted(countries),
                "prices_include_tax": options.prices_include_tax,
            }
        ],
        "payment_methods": [_method_json(method) for method in registry.methods()],
        "password_rules": _password_rules(),
        "limits": _limits(),
        "media": {"thumbnail_widths": list(WIDTHS)},
        "links": LINKS,
    }


def _method_json(method: str) -> dict[str, Any]:
    front = registry.gateway_of(method).front_options()
    token = {"name": "token", "required": True, "choices": list(front.tokens)}
    origins = {"name": "return_url", "required": False, "choices": sorted(front_origins())}
    fields = [token] if front.needs_token else []
    return {
        "code": method,
        "name": registry.name_of(method),
        "options": {
            "fields": fields + ([origins] if front.takes_return_url else []),
            "actions": list(front.actions),
            "publishable_key": front.publishable_key or None,
        },
    }


def _password_rules() -> dict[str, Any]:
    validators = get_default_password_validators()
    lengths = [each.min_length for each in validators if isinstance(each, MinimumLengthValidator)]
    return {
        "min_length": max(lengths, default=1),
        "max_length": MAX_PASSWORD,
        "texts": [each.get_help_text() for each in validators],
    }


def _limits() -> dict[str, int]:
    access_lifetime: datetime.timedelta = AccessToken.lifetime
    return {
        "cart_lines": MAX_LINES,
        "line_quantity": MAX_QUANTITY,
        "page_default": DEFAULT_LIMIT,
        "page_max": MAX_LIMIT,
        "body_bytes": SMALL_BYTES,
        "query_characters": MAX_QUERY,
        "query_parameters": MAX_PARAMETERS,
        "quote_seconds": options.hold_seconds,
        "payment_seconds": options.payment_hold_seconds,
        "order_link_days": options.order_links_days,
        "cart_days": options.carts_kept_days,
        "wishlists": MAX_LISTS,
        "wishlist_items": MAX_ITEMS,
        "stock_alerts": MAX_ALERTS,
        "idempotency_hours": int(idempotency.KEPT_FOR.total_seconds() // 3600),
        "access_token_seconds": int(access_lifetime.total_seconds()),
        "refresh_token_seconds": int(CUSTOMERS_SESSION.idle.total_seconds()),
    }

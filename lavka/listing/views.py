"""The page at `/`: what runs here, and a few of the goods."""

import platform
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.listing import selectors
from lavka.web.views import in_thread

FRESH_SECONDS = 5
CARDS = 8


async def window(request: HttpRequest) -> HttpResponse:
    """Greet whoever opens the server in a browser; its numbers are a few seconds old at most."""
    shown = await in_thread(_shown)
    response = render(
        request,
        "listing/window.html",
        shown
        | {"shop_name": options.shop_name, "origin": f"{request.scheme}://{request.get_host()}"},
    )
    response["Cache-Control"] = "no-cache"
    return response


def _shown() -> Any:
    shown: Any = cache.get_or_set(
        f"listing.window.{get_language()}",
        lambda: {"numbers": _numbers(), "cards": _cards(), "parts": _parts()},
        FRESH_SECONDS,
    )
    return shown


def _numbers() -> list[dict[str, str]]:
    counted = selectors.statistics(timezone.now())
    average = counted.average_rating
    return [
        {"name": _("Products"), "value": number_format(counted.products, force_grouping=True)},
        {"name": _("Reviews"), "value": number_format(counted.reviews, force_grouping=True)},
        {"name": _("Average rating"), "value": "–" if average is None else number_format(average)},
        {"name": _("Customers"), "value": number_format(counted.customers, force_grouping=True)},
    ]


def _cards() -> list[dict[str, Any]]:
    newest = selectors.newest_cards(timezone.now(), count=CARDS)
    return [
        card | {"price": _price(card["price"]), "before": _price(card["compare_at_price"])}
        for card in newest
    ]


def _price(money: dict[str, Any] | None) -> str:
    return "" if money is None else str(Money(**money)).replace(" ", "\u00a0")


def _parts() -> list[str]:
    """The names and versions of what answers this request."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database = cursor.fetchone()[0].partition(" ")[0]
    broker = "RabbitMQ" if settings.CELERY_BROKER_URL.startswith("amqp") else "Valkey"
    return [
        f"Lavka {version('lavka')}",
        f"Django {django.get_version()}",
        f"Python {platform.python_version()}",
        f"PostgreSQL {database}",
        _("jobs through %(broker)s") % {"broker": broker},
    ]

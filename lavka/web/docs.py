"""The documentation that the shop serves itself: OpenAPI, Swagger UI, and the list of errors."""

import inspect
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_resolver
from django.utils import translation
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel.errors import ShopError


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as YAML or, for `Accept: application/json`, as JSON."""

    content_negotiation_class = DefaultContentNegotiation

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In English for everyone: half of what it describes has no other language."""
        with translation.override("en"):
            read: Any = super().get
            described: Response = read(request, *args, **kwargs)
        described["Content-Language"] = "en"
        return described


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI with its own script file, so that the page needs no inline script."""


async def errors(request: HttpRequest) -> HttpResponse:
    """Every error code, where the `type` of a problem points to."""
    listed = sorted(shop_errors(), key=lambda error: (error.status, error.code))
    rows = [
        {
            "code": error.code,
            "status": error.status,
            "title": error.title,
            "message": error.message,
            "meaning": inspect.getdoc(error),
        }
        for error in listed
    ]
    return render(request, "web/errors.html", {"errors": rows})


def shop_errors() -> Iterator[type[ShopError]]:
    """One class per code that a client may meet; a subclass may share its parent's code."""
    get_resolver().url_patterns  # noqa: B018 - imports every room's views, and so its errors
    found: dict[str, type[ShopError]] = {}
    waiting = list(ShopError.__subclasses__())
    while waiting:
        error = waiting.pop(0)
        waiting += error.__subclasses__()
        if error.__module__.startswith("lavka."):
            found.setdefault(error.code, error)
    yield from found.values()

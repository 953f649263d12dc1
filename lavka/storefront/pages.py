"""What all pages for customers share: limits, headers, refusals that people can read.

Their addresses carry tokens. So nothing is stored, no address is told to another site, and a GET
changes nothing, for mail scanners follow links.
"""

import secrets
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from lavka.accounts.api.auth import AUTH
from lavka.kernel.actors import Actor, acting
from lavka.kernel.conf import options
from lavka.kernel.errors import ShopError
from lavka.web import limits, problems

READ = limits.Limit("page", burst=60, per_seconds=60)
POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self' https:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def customer_page(*methods: str) -> Callable[[View], View]:
    """Make a page of an async view that answers to these methods; GET stands for HEAD too."""
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)

    def decorate(view: View) -> View:
        @wraps(view)
        async def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in allowed:
                    raise problems.MethodNotAllowed  # noqa: TRY301 - refused as all else is
                limit = AUTH if request.method == "POST" else READ
                await limits.take(limit, limits.caller_of(request, None))
                with acting(Actor.customer()):
                    response = await view(request, *args, **kwargs)
            except Exception as exception:
                error = problems.as_shop_error(exception)
                if error is None:
                    raise
                response = refuse(request, error)
            if response.status_code == 405:
                response["Allow"] = ", ".join(sorted(allowed))
            response["Cache-Control"] = "no-store"
            response["Referrer-Policy"] = "no-referrer"
            return response

        return page

    return decorate


def show(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render `storefront/<template>.html`; its style is all that may run."""
    nonce = secrets.token_urlsafe(16)
    shared = {"csp_nonce": nonce, "shop_name": options.shop_name, "shop_url": options.shop_url}
    response = render(request, f"storefront/{template}.html", shared | dict(context), status=status)
    response["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    return response


def refuse(request: HttpRequest, error: ShopError, *, template: str = "refused") -> HttpResponse:
    """Say why there is no page."""
    context = {"title": error.title, "detail": error.detail}
    response = show(request, template, context, status=error.status)
    retry_after = getattr(error, "retry_after_seconds", None)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response

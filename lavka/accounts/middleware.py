"""Keeps the token of a device that signed in to the admin in a cookie of its browser."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

from lavka.accounts import devices

Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def device_cookie(get_response: Handler) -> Handler:
    """Set the cookie when the request signed somebody in."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        if device := devices.SignInAttempt.of(request).device:
            devices.set_cookie(response, device)
        return response

    return middleware

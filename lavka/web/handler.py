"""The handlers of requests: Django's for pages, and the fast lane for the paths of the API.

The fast lane is Django's ASGI handler without its thread hops. What Django's does in threads is
done on the event loop or not at all: middleware is async-native (`settings.FAST_LANE_MIDDLEWARE`,
held to it by a system check), an exception becomes a problem in place, a response is closed in
place, and the signals `request_started` and `request_finished`, whose receivers are synchronous,
are not sent. What they do for a thread's database connection, `in_thread` does when the connection
was used. A body is read when a view asks for it, so that a request that is refused by its head
costs no more than that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.urls import set_script_prefix
from django.utils.module_loading import import_string

from lavka.kernel.errors import Malformed
from lavka.web import problems, routes
from lavka.web.bodies import Body, Receive, Scope, Send

Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# A client that leaves is looked for only once a request has lasted this long: most are over before,
# and a task of its own per request would cost more than all middleware together.
WATCH_AFTER_SECONDS = 0.2
BODILESS = frozenset({204, 304})


class PageHandler(ASGIHandler):
    """Django's own handler, which answers also a head that it cannot read."""

    def create_request(self, scope: Mapping[str, Any], body_file: Any) -> tuple[Any, Any]:
        """A request, or the refusal of a `Content-Type` that is none."""
        try:
            return super().create_request(scope, body_file)
        except BadRequest:
            return None, problems.response_for(Malformed())


class FastLane(PageHandler):
    """Serves async views; `config/asgi.py` says which paths."""

    def load_middleware(self, is_async: bool = True) -> None:
        """Chain the lane's own middleware; each answers for what raises below it."""
        handler = answered(self._call_view)
        for path in reversed(settings.FAST_LANE_MIDDLEWARE):
            handler = answered(import_string(path)(handler))
        self._middleware_chain = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        prefix = get_script_prefix(scope)
        if prefix:
            set_script_prefix(prefix)
        body: Any = Body(receive)
        request: Any
        request, _ = self.create_request(scope, body)
        if request is None:  # its query or its Content-Type cannot be read
            await self.send_response(problems.response_for(Malformed()), send)
            return
        body.announce(request.META)
        request.incoming = body
        watch = Watch(receive, body)
        response: HttpResponseBase | None = None
        try:
            response = await self._middleware_chain(request)
            if body.is_endless():
                response.headers["Connection"] = "close"
            await self.send_response(response, send)
        except asyncio.CancelledError:
            if not (body.is_cut or watch.has_cancelled()):
                raise
        finally:
            watch.stop()
            # Not `response.close()`, which also sends `request_finished`.
            for close in (*getattr(response, "_resource_closers", ()), request.close):
                close()

    async def _call_view(self, request: HttpRequest) -> HttpResponseBase:
        match = routes.resolve(request.path_info)
        request.resolver_match = match
        response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
        return response

    async def send_response(self, response: Any, send: Send) -> None:
        """One message for the head and one for the body, unless the answer is streamed."""
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            await super().send_response(response, send)
            return
        content = response.content
        headers = [
            (name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()
        ]
        if response.status_code not in BODILESS and "Content-Length" not in response:
            headers.append((b"Content-Length", str(len(content)).encode()))
        headers += [
            (b"Set-Cookie", cookie.OutputString().encode("ascii"))
            for cookie in response.cookies.values()
        ]
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": content})


def answered(handler: Handler) -> Handler:
    """The handler, with a problem for whatever it raises."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        try:
            return await handler(request)
        except Exception as exception:  # noqa: BLE001 - logged or told, never swallowed
            return problems.answer_to(exception, request)

    return answer


class Watch:
    """Cancels the running request when its client goes away."""

    __slots__ = ("_body", "_is_gone", "_listener", "_receive", "_request", "_timer")

    def __init__(self, receive: Receive, body: Body) -> None:
        """Begin to look in a moment, and not before `body` was read or is ignored."""
        self._receive, self._body = receive, body
        self._request: Any = asyncio.current_task()
        self._is_gone = False
        self._listener: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(WATCH_AFTER_SECONDS, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._body.is_expected:
            self._timer = loop.call_later(WATCH_AFTER_SECONDS, self._begin, loop)
        else:
            self._listener = loop.create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        self._request.cancel()

    def has_cancelled(self) -> bool:
        """Whether the cancellation at hand is this watch's, and no other is asked for."""
        return self._is_gone and self._request.uncancel() == 0

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

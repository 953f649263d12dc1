"""The outer bound of request bodies: Django would store what a client sends, however much."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY = (
    b'{"type":"/api/docs/errors/#too_large","title":"Body too large","status":413,'
    b'"detail":"The request body is larger than this server accepts.","code":"too_large",'
    b'"request_id":"-"}'
)
HEADERS = [
    (b"content-type", b"application/problem+json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"connection", b"close"),
]


class BoundedBodies:
    """Answers 413 to a body above `limit` bytes, announced or chunked, and reads no further."""

    def __init__(self, app: App, limit: int) -> None:
        """Stand in front of `app`."""
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > self.limit:
            await _refuse(send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= self.limit:
                return message
            await _refuse(send)
            # Django has stored nothing but the body so far; it drops that and the request.
            return {"type": "http.disconnect"}

        await self.app(scope, counted, send)


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})

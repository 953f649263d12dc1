"""Request bodies: read when a view asks for one, up to what its operation takes, and no further."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings

from lavka.web.problems import TooLarge

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KIB = 1024
# What an operation takes unless it says otherwise, and what is parsed on the event loop.
SMALL_BYTES = 16 * KIB
# What is parsed as JSON at most; uploads may be larger.
MAX_JSON_BYTES = 1024 * KIB
# How much of a refused body of unknown length is read, so that its client gets to read the answer.
MAX_DISCARDED_BYTES = 2048 * KIB
# A longer one is not waited for to its end: the connection is closed behind the refusal.
MAX_UNREAD_BYTES = 12 * 1024 * KIB

PROBLEM = (
    b'{"type":"/api/docs/errors/#too_large","title":"Body too large","status":413,'
    b'"detail":"The request body is larger than this server accepts.","code":"too_large",'
    b'"request_id":"-"}'
)
HEADERS = [
    (b"content-type", b"application/problem+json"),
    (b"content-length", str(len(PROBLEM)).encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),
]


class Body:
    """The body of one request: a file that is empty until `arrive` has read it from the server."""

    __slots__ = ("_announced", "_file", "_receive", "is_cut", "is_expected", "size")

    def __init__(self, receive: Receive) -> None:
        """Read nothing yet."""
        self._receive = receive
        self._file: Any = BytesIO()
        self._announced: int | None = 0
        self.size = 0
        # Whether it may still be asked for: until then nobody else may listen to the server.
        self.is_expected = False
        # Whether the client left in the middle of it.
        self.is_cut = False

    def announce(self, meta: Mapping[str, Any]) -> None:
        """Take the length from a request's headers; a chunked body has none."""
        length = meta.get("CONTENT_LENGTH", "")
        if "HTTP_TRANSFER_ENCODING" in meta:
            self._announced = None
        elif length.isdecimal():
            self._announced = int(length[:20])
        self.is_expected = self._announced != 0

    async def arrive(self, limit: int) -> None:
        """Read it whole.

        Raises: TooLarge above `limit` bytes, announced or not; CancelledError when the client left.
        """
        if self._announced is not None and self._announced > limit:
            raise TooLarge(limit=limit)
        if limit > MAX_JSON_BYTES:
            memory = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
            self._file = SpooledTemporaryFile(max_size=memory)  # noqa: SIM115 - the request closes it
        has_more = self.is_expected
        while has_more and self.size <= limit + MAX_DISCARDED_BYTES:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_cut = True
                raise asyncio.CancelledError
            piece = message.get("body", b"")
            self.size += len(piece)
            if self.size <= limit:
                self._file.write(piece)
            has_more = message.get("more_body", False)
        self.is_expected = has_more
        if self.size > limit:
            raise TooLarge(limit=limit)
        self._file.seek(0)

    def ignore(self) -> None:
        """Nobody wants it."""
        self.is_expected = False

    def is_endless(self) -> bool:
        """Whether more is still to come than is worth waiting for."""
        return self.is_expected and (self._announced is None or self._announced > MAX_UNREAD_BYTES)

    def __getattr__(self, name: str) -> Any:
        """Everything that a file has."""
        return getattr(self._file, name)


class BoundedBodies:
    """Answers 413 to a body above the path's limit, announced or chunked, and reads no further.

    For applications that store what a client sends, however much: Django's own handler.
    """

    def __init__(self, app: App, limit_of: Callable[[str], int]) -> None:
        """Stand in front of `app`; `limit_of` says how many bytes a path takes."""
        self.app, self.limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > limit:
            await _refuse(send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= limit:
                return message
            await _refuse(send)
            # Django has stored nothing but the body so far; it drops that and the request.
            return {"type": "http.disconnect"}

        await self.app(scope, counted, send)


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PROBLEM})

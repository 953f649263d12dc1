"""HTTP as Uvicorn speaks it, but that an answer goes in one piece and a process leaves politely.

Uvicorn writes an answer's head and its body apart. Each is a system call, and the first one wakes
the client for nothing.

It also closes idle connections the moment it is told to stop. Whoever has just sent a request over
one, a browser or the proxy in front, would see it cut, and no client may send a purchase again
without asking. Here an idle connection stays for a moment, and what still comes over it is answered
with `Connection: close`.
"""

import asyncio
import math
import select
from logging.config import DictConfigurator
from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

# A client that is busy itself may take seconds between two requests.
LINGER_SECONDS, LOOK_AGAIN_SECONDS = 3.0, 0.05
# No head is as long; what is longer does not wait for more.
MOST_HELD_BYTES = 4096


# Of a request's address and headers, as far as they do not come in one piece.
MAX_HEAD_BYTES, MAX_ADDRESS_BYTES = 64 * 1024, 32 * 1024
# Each with its status line: what is refused before there is a request that Django could answer.
HEAD_TOO_LARGE = (
    b"431 Request Header Fields Too Large",
    b'{"type":"/api/docs/errors/#head_too_large","title":"Request head too large","status":431,'
    b'"detail":"The address and the headers of the request are too long.",'
    b'"code":"head_too_large","request_id":"-"}',
)
ADDRESS_TOO_LONG = (
    b"414 URI Too Long",
    b'{"type":"/api/docs/errors/#query_too_long","title":"Query too long","status":414,'
    b'"detail":"The address of the request is too long.",'
    b'"code":"query_too_long","request_id":"-"}',
)
NOT_HTTP = (
    b"400 Bad Request",
    b'{"type":"/api/docs/errors/#malformed","title":"Malformed request","status":400,'
    b'"detail":"This is not HTTP.","code":"malformed","request_id":"-"}',
)


class Corked:
    """A transport that holds a short piece back for the next one, for this turn of the loop."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: Any) -> None:
        """Write to `transport`."""
        self._transport, self._held = transport, b""
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> None:
        """Send it with what was held, or hold it."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif len(data) > MOST_HELD_BYTES:
            self._transport.write(data)
        else:
            self._held = data
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Close it once all is sent."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's."""
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """Uvicorn's own, in whole pieces, until it is told to stop."""

    is_leaving = False
    # How much of a head has come that is not complete.
    head_bytes: int | None = None

    def connection_made(self, transport: Any) -> None:
        """Write through a cork.

        Uvicorn tells those to shut down that it has; one that was just being accepted would go on
        until Gunicorn kills the process.
        """
        super().connection_made(Corked(transport))  # type: ignore[arg-type]
        if getattr(self.server_state, "is_leaving", False):
            self.shutdown()

    def shutdown(self) -> None:
        """Answer what is being asked, and what comes in a moment, and nothing more."""
        self.is_leaving = True
        process: Any = self.server_state
        process.is_leaving = True
        if self._is_idle():
            self.loop.call_later(LINGER_SECONDS, self._close_if_idle)
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """Begin to count its head."""
        super().on_message_begin()
        self.head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Hold no more of a head than `MAX_HEAD_BYTES`, where Uvicorn holds whatever comes."""
        super().data_received(data)
        if self.head_bytes is not None:
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._refuse(ADDRESS_TOO_LONG if self._is_address_long() else HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser cannot read, such as an address of more than 64 KiB."""
        self._refuse(ADDRESS_TOO_LONG if self._is_address_long() else NOT_HTTP)

    def on_headers_complete(self) -> None:
        """Let the last answer say that it is the last."""
        self.head_bytes = None
        super().on_headers_complete()
        if self.is_leaving and not self._is_idle():
            self.cycle.keep_alive = False

    def _is_address_long(self) -> bool:
        return len(getattr(self, "url", b"")) > MAX_ADDRESS_BYTES

    def _refuse(self, refusal: tuple[bytes, bytes]) -> None:
        status, problem = refusal
        self.transport.write(
            b"HTTP/1.1 %b\r\n"
            b"content-type: application/problem+json\r\ncache-control: no-store\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (status, len(problem), problem)
        )
        self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if not self._is_idle():
            return
        if self._has_unread():
            # A request, or the client's own goodbye; the loop reads it in its next turn.
            self.loop.call_later(LOOK_AGAIN_SECONDS, self._close_if_idle)
        else:
            self.transport.close()

    def _has_unread(self) -> bool:
        """Whether something came that nobody has read: to close now would refuse it unanswered."""
        socket = self.transport.get_extra_info("socket")
        if self.transport.is_closing() or socket is None:
            return False
        poll = select.poll()
        poll.register(socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))


class ServerLogger(Logger):
    """Gunicorn's and Uvicorn's own lines, in the format of all others."""

    def setup(self, cfg: Any) -> None:
        """Take the formatter of the settings, which are read before Gunicorn's own."""
        super().setup(cfg)
        maker: Any = DictConfigurator({"version": 1})
        # It takes what it is given apart.
        formatter = maker.configure_formatter(dict(settings.LOGGING["formatters"]["lines"]))
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter)


class Worker(UvicornWorker):
    """Gunicorn's worker with that protocol.

    It tells Gunicorn every second that it lives. Uvicorn would look at the clock of the wall for
    when it did so last, and be killed for its silence after that was set back.
    """

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "http": "lavka.web.protocol:Protocol",
        "timeout_notify": -math.inf,
    }

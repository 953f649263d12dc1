"""How a web process leaves: a request that is on its way over an idle connection is answered.

Uvicorn closes idle connections the moment it is told to stop. Whoever has just sent a request over
one, a browser or the proxy in front, would see it cut, and no client may send a purchase again
without asking. Here an idle connection stays for a moment, and what still comes over it is answered
with `Connection: close`.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

LINGER_SECONDS = 1.0


class Protocol(HttpToolsProtocol):
    """Uvicorn's own, until it is told to stop."""

    is_leaving = False

    def shutdown(self) -> None:
        """Answer what is being asked, and what comes in a moment, and nothing more."""
        self.is_leaving = True
        if self._is_idle():
            self.loop.call_later(LINGER_SECONDS, self._close_if_idle)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        """Let the last answer say that it is the last."""
        super().on_headers_complete()
        if self.is_leaving and not self._is_idle():
            self.cycle.keep_alive = False

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()


class Worker(UvicornWorker):
    """Gunicorn's worker with that protocol."""

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "http": "lavka.web.leaving:Protocol",
    }

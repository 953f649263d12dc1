"""Another program that is told by webhook what happens in the shop."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import standardwebhooks

from lavka.cli.ports import LOOPBACK

ORDER_PLACED = "orders.order_placed"


class Receiver:
    """Checks each signature with the library of others, and counts what it was told by id.

    It answers `status` after `delay_seconds`; only what it answers 2xx counts as told.
    """

    def __init__(self) -> None:
        """Listen; answer after `start`."""
        self.secret = ""
        self.status = 200
        self.delay_seconds = 0.0
        self.headers: dict[str, str] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.server = Server((LOOPBACK, 0), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server.server_port}/hooks"

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()

    def take(self, headers: dict[str, str], body: str) -> int:
        """One delivery: the status it is answered with."""
        status = self.status
        self.stopping.wait(self.delay_seconds)
        self.statuses[status] += 1
        if 200 <= status < 300:
            try:
                message = standardwebhooks.Webhook(self.secret).verify(body, headers)
            except standardwebhooks.WebhookVerificationError as refused:
                self.refused[str(refused)] += 1
                return 400
            self.told[headers["webhook-id"]] = message
        return status

    def orders(self) -> Counter[str]:
        """How many different messages named each order as placed."""
        told = list(self.told.values())
        return Counter(each["data"]["order_id"] for each in told if each["type"] == ORDER_PLACED)


class Server(ThreadingHTTPServer):
    """Whoever hangs up in the middle is nothing to report."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        return


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(headers, body))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    return Handler

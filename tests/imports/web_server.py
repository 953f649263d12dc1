"""A web server of this machine, for downloads and webhooks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """Pages by path; what was asked for, with the host that was named, and what was posted."""

    def __init__(self, port: int) -> None:
        """Start with nothing to show."""
        self.port = port
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, str]] = []
        self.posted: list[tuple[dict[str, str], bytes]] = []

    def url(self, path: str, host: str = "shop.example") -> str:
        """The address of a page."""
        return f"http://{host}:{self.port}{path}"

    def show(self, path: str, content: bytes, status: int = 200, **headers: str) -> None:
        """Answer with these bytes and, besides their length, these headers."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            for name, value in ({"Content-Length": str(len(content))} | named).items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(content)

        self.pages[path] = answer


@contextmanager
def web_server() -> Iterator[Web]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.headers["Host"], self.path))
            web.pages[self.path](self)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            web.posted.append((dict(self.headers), self.rfile.read(length)))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return

    with Server(("127.0.0.1", 0), Handler) as server:
        web = Web(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()

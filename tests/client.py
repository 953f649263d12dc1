"""A client of the API that speaks JSON and carries a token."""

import asyncio
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.test import Client

from lavka.web.entrance import is_on_fast_lane


class Api:
    """`api.post("/reviews/", {...}, token=...)`: paths are below /api/v1."""

    def __init__(self) -> None:
        self.client = AsgiClient(raise_request_exception=False)

    def request(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> HttpResponse:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        target = path if path.startswith("/api/") else f"/api/v1{path}"
        if body is None:
            return self.client.generic(method, target, headers=named)
        return self.client.generic(
            method, target, _encoded(body), content_type="application/json", headers=named
        )

    def get(self, path: str, **options: Any) -> HttpResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> HttpResponse:
        return self.request("DELETE", path, **options)


class AsgiClient(Client):
    """Django's test client, whose requests to the fast lane go there as from a server."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.off_the_lane, self.handler = self.handler, self.route

    def route(self, environ: dict[str, Any]) -> HttpResponse:
        if is_on_fast_lane(environ["PATH_INFO"]):
            return _through_asgi(environ)
        return self.off_the_lane(environ)


def _through_asgi(environ: dict[str, Any]) -> HttpResponse:
    from config.asgi import application

    scope, said = _scope_of(environ), []
    body = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))).read()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async_to_sync(application)(scope, receive, send)
    start, *parts = said
    response = HttpResponse(b"".join(part.get("body", b"") for part in parts))
    response.status_code = start["status"]
    del response.headers["Content-Type"]
    for name, value in start["headers"]:
        response.headers[name.decode()] = value.decode("latin-1")
    if scope["method"] == "HEAD":
        response.content = b""
    response.wsgi_request = ASGIRequest(scope, BytesIO(body))
    return response


def _scope_of(environ: dict[str, Any]) -> dict[str, Any]:
    named = {
        name.removeprefix("HTTP_"): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    named.setdefault("HOST", environ["SERVER_NAME"])
    path = environ["PATH_INFO"].encode("latin-1")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": unquote(path.decode("utf-8", "replace"), errors="replace"),
        "query_string": environ["QUERY_STRING"].encode(),
        "headers": [
            (name.lower().replace("_", "-").encode(), str(value).encode("latin-1"))
            for name, value in named.items()
        ],
        "client": (environ["REMOTE_ADDR"], 50000),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
    }


def _encoded(body: Any) -> bytes:
    from lavka.web import json

    return body if isinstance(body, bytes) else json.dumps(body)

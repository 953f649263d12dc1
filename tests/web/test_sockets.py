"""What only a real connection shows."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from config.asgi import application
from lavka.cli.ports import LOOPBACK, free_port
from tests.e2e.shop import Process
from tests.web.asgi import Client


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Uvicorn behind a proxy on the same machine, serving the probe's views."""
    port, log = free_port(), tmp_path_factory.mktemp("probe") / "log"
    command = [sys.executable, "-m", "uvicorn", "tests.web.server:application", "--lifespan=off"]
    server = Process(
        [*command, f"--port={port}", f"--forwarded-allow-ips={LOOPBACK}"],
        os.environ | {"LAVKA_THROTTLES": "off"},
        log,
    )
    server.start()
    try:
        while not answers(port):
            assert not server.has_ended(), server.tail()
            time.sleep(0.05)
        yield port
    finally:
        server.stop()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def raw(port: int, request: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    with socket.create_connection((LOOPBACK, port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def ask(port: int, start: str, *headers: str, body: bytes = b"") -> tuple[int, dict, bytes]:
    lines = [start, "Host: localhost", "Connection: close", *headers]
    answer = raw(port, "\r\n".join([*lines, "", ""]).encode() + body)
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *rest = head.decode().split("\r\n")
    named = dict(line.lower().split(": ", 1) for line in rest)
    return int(status.split()[1]), named, content


def chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked")


def test_a_chunked_body_is_read(port: int):
    body = chunked(b'{"text": "hi"}')

    status, _, content = ask(port, "POST /api/v1/notes/ HTTP/1.1", *CHUNKED, body=body)

    assert (status, json.loads(content)) == (201, {"text": "hi"})


def test_a_chunked_body_over_the_limit_is_413(port: int):
    body = chunked(b" " * (1024 * 1024 + 1))

    status, headers, content = ask(port, "POST /api/v1/notes/ HTTP/1.1", *CHUNKED, body=body)

    assert status == 413
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(content)["code"] == "too_large"


def test_a_body_announced_as_huge_is_refused_unread(port: int):
    status, headers, content = ask(
        port, "POST /api/v1/notes/ HTTP/1.1", "Content-Length: 99999999999"
    )

    assert status == 413
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(content)["code"] == "too_large"


async def test_a_chunked_body_without_end_is_cut_off():
    """Spoken to without a socket, on which the rest of the body would reset the answer."""
    asked, said = 0, []

    async def receive() -> dict:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 2**20, "more_body": True}

    async def send(message: dict) -> None:
        said.append(message)

    client = Client("POST", "/api/v1/notes/", headers={"transfer-encoding": "chunked"})
    scope = client.scope()
    await application(scope, receive, send)

    assert asked == 3
    assert said[0]["status"] == 413
    assert (b"Connection", b"close") in said[0]["headers"]
    assert json.loads(said[1]["body"])["code"] == "too_large"


def test_head_sends_no_body(port: int):
    status, headers, content = ask(port, "HEAD /api/v1/notes/ HTTP/1.1")

    assert (status, content) == (200, b"")
    assert int(headers["content-length"]) > 0


def test_the_limit_counts_the_address_that_the_proxy_saw(port: int):
    def address(*forwarded: str) -> str:
        headers = ["Content-Length: 0", *(f"X-Forwarded-For: {each}" for each in forwarded)]
        _, _, content = ask(port, "POST /api/v1/guess/ HTTP/1.1", *headers)
        return str(json.loads(content)["address"])

    assert address() == "127.0.0.1"
    assert address("203.0.113.9") == "203.0.113.9"
    assert address("198.51.100.1, 203.0.113.10") == "203.0.113.10"


@pytest.mark.parametrize("path", ["/media/%00", "/media/nothing", "/static/%00", "/%00", "/%FF"])
def test_a_strange_path_is_404(port: int, path: str):
    assert ask(port, f"GET {path} HTTP/1.1")[0] == 404


def test_a_path_that_climbs_is_refused(port: int):
    assert ask(port, "GET /media/../manage.py HTTP/1.1")[0] == 400

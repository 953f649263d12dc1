"""A server that is told to stop answers what comes over the connections that it has."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from lavka.cli.ports import LOOPBACK, free_port
from lavka.web import protocol

REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


async def application(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - Uvicorn tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(protocol) -> AsyncIterator[tuple]:
    """A connection to a running server, and the server."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            application, host=LOOPBACK, port=port, http=protocol, lifespan="off", log_config=None
        )
    )
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    yield reader, writer, server
    writer.close()
    server.should_exit = True
    await serving


@asynccontextmanager
async def connected_to_a_server_that_leaves(protocol) -> AsyncIterator[tuple]:
    """A connection over which one request was answered before the server was told to stop."""
    async with connected(protocol) as (reader, writer, server):
        writer.write(REQUEST)
        assert b"connection: close" not in await reader.readuntil(b"\r\n\r\n")
        server.should_exit = True
        await until(lambda: not server.servers[0].is_serving())
        yield reader, writer


async def test_a_head_without_end_is_refused():
    async with connected(protocol.Protocol) as (reader, writer, _server):
        answering = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
        writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\nX-A: ")
        # Not past the answer: whoever sends on is cut off, and may not hear it.
        for _ in range(protocol.MAX_HEAD_BYTES // 1024 + 1):
            writer.write(b"a" * 1024)
            await writer.drain()
        head, body = await answering, await reader.read()

    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["code"] == "head_too_large"


LONG = b"GET /?q=" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [(LONG, 414, "query_too_long"), (b"HELO shop\r\n\r\n", 400, "malformed")],
    ids=["a long address", "another protocol"],
)
async def test_what_the_parser_cannot_read_is_a_problem(
    request_bytes: bytes, status: int, code: str
):
    async with connected(protocol.Protocol) as (reader, writer, _server):
        writer.write(request_bytes)
        head, body = await reader.readuntil(b"\r\n\r\n"), await reader.read()

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (status, code)


async def test_an_address_without_end_is_refused():
    async with connected(protocol.Protocol) as (reader, writer, _server):
        answering = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
        writer.write(b"GET /?q=")
        for _ in range(protocol.MAX_HEAD_BYTES // 1024 + 1):
            writer.write(b"a" * 1024)
            await writer.drain()
        head, body = await answering, await reader.read()

    assert head.startswith(b"HTTP/1.1 414 ")
    assert json.loads(body)["code"] == "query_too_long"


@pytest.mark.parametrize("headers", [1, 100])
async def test_a_head_in_pieces_is_read_and_so_is_the_next(headers):
    more = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 500) for number in range(headers))
    request = REQUEST[:-2] + more + b"\r\n"
    async with connected(protocol.Protocol) as (reader, writer, _server):
        for _ in range(3):
            for start in range(0, len(request), 1000):
                writer.write(request[start : start + 1000])
                await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")

            assert head.startswith(b"HTTP/1.1 204 ")


async def test_a_request_that_comes_while_it_leaves_is_answered_as_the_last(monkeypatch):
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 60)
    async with connected_to_a_server_that_leaves(protocol.Protocol) as (reader, writer):
        writer.write(REQUEST)

        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_connection_that_stays_idle_is_closed(monkeypatch):
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.01)
    async with connected_to_a_server_that_leaves(protocol.Protocol) as (reader, _):
        assert await reader.read() == b""


async def test_control_uvicorn_alone_answers_nothing_more():
    async with connected_to_a_server_that_leaves(HttpToolsProtocol) as (reader, writer):
        writer.write(REQUEST)

        with suppress(ConnectionResetError):
            assert await reader.read() == b""


class Wire:
    """A transport that notes what it sends in one go."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> Any:
        return getattr(self, name, None)


async def test_head_and_body_go_in_one_piece_and_nothing_waits_for_the_next_turn():
    wire = Wire()
    corked = protocol.Corked(wire)

    corked.write(b"head")
    assert wire.sent == []
    corked.write(b"body")
    assert wire.sent == [b"headbody"]
    corked.write(b"alone")
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody", b"alone"]


async def test_what_is_long_is_not_held_and_a_close_holds_nothing_back():
    wire = Wire()
    corked = protocol.Corked(wire)

    corked.write(b"x" * (protocol.MOST_HELD_BYTES + 1))
    corked.write(b"last")
    corked.close()

    assert [len(each) for each in wire.sent] == [protocol.MOST_HELD_BYTES + 1, 4]
    assert wire.is_closed


def one_of(process: ServerState) -> protocol.Protocol:
    config = uvicorn.Config(application)
    config.load()
    return protocol.Protocol(config, process, {}, asyncio.get_running_loop())


async def test_a_connection_that_was_just_accepted_leaves_with_the_others():
    process = ServerState()
    first, late = one_of(process), one_of(process)
    first.connection_made(Wire())
    first.shutdown()

    late.connection_made(Wire())

    assert late.is_leaving


async def test_what_came_unread_keeps_a_leaving_connection_open(monkeypatch):
    here, there = socket.socketpair()
    leaving = one_of(ServerState())
    leaving.transport = wire = Wire()
    wire.socket = here
    with here, there:
        there.send(REQUEST)
        monkeypatch.setattr(protocol, "LOOK_AGAIN_SECONDS", 0.0)

        leaving._close_if_idle()
        assert not wire.is_closed

        here.recv(1000)
        await until(lambda: wire.is_closed)


async def test_gunicorn_is_told_that_a_worker_lives_whatever_the_clock_says(monkeypatch):
    told: list[float] = []

    async def note() -> None:
        told.append(time.time())

    kwargs = {"timeout_notify": protocol.Worker.CONFIG_KWARGS["timeout_notify"]}
    server = uvicorn.Server(uvicorn.Config(application, callback_notify=note, **kwargs))
    server.config.load()
    for now in (10_000.0, 10_001.0, 6_401.0, 6_402.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        await server.on_tick(0)

    assert told == [10_000.0, 10_001.0, 6_401.0, 6_402.0]

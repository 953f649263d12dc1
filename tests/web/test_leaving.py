"""A server that is told to stop answers what comes over the connections that it has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lavka.cli.ports import LOOPBACK, free_port
from lavka.web import leaving

REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


async def application(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - Uvicorn tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected_to_a_server_that_leaves(protocol) -> AsyncIterator[tuple]:
    """A connection over which one request was answered before the server was told to stop."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            application, host=LOOPBACK, port=port, http=protocol, lifespan="off", log_config=None
        )
    )
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(REQUEST)
    assert b"connection: close" not in await reader.readuntil(b"\r\n\r\n")
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())
    yield reader, writer
    writer.close()
    await serving


async def test_a_request_that_comes_while_it_leaves_is_answered_as_the_last(monkeypatch):
    monkeypatch.setattr(leaving, "LINGER_SECONDS", 60)
    async with connected_to_a_server_that_leaves(leaving.Protocol) as (reader, writer):
        writer.write(REQUEST)

        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_connection_that_stays_idle_is_closed(monkeypatch):
    monkeypatch.setattr(leaving, "LINGER_SECONDS", 0.01)
    async with connected_to_a_server_that_leaves(leaving.Protocol) as (reader, _):
        assert await reader.read() == b""


async def test_control_uvicorn_alone_answers_nothing_more():
    async with connected_to_a_server_that_leaves(HttpToolsProtocol) as (reader, writer):
        writer.write(REQUEST)

        with suppress(ConnectionResetError):
            assert await reader.read() == b""

"""Async reads: one bounded pool of PostgreSQL connections per process and event loop.

Named SQL, no ORM: rows come as tuples over the binary protocol, statements are prepared at
first use, and `json` and `jsonb` come as the bytes that go out again, not as Python objects.
Every connection is in autocommit and read-only; writes are services and go through Django.

Tests inside a transaction lend the reader the test's own connection (tests/reading.py).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.abc import AdaptContext
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from lavka.kernel.errors import Unavailable

logger = logging.getLogger(__name__)

Parameters = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

APPLICATION_NAME = "lavka reads"
# What is read here is in memory or on an SSD, and short: neither compiling a plan nor starting
# parallel workers for it pays, and both cost others their CPU.
SESSION = (
    "-c default_transaction_read_only=on -c timezone=UTC -c random_page_cost=1.1 -c jit=off"
    " -c max_parallel_workers_per_gather=0"
)


class JsonBytes(Loader):
    """`json` as it is stored."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        """Copy out of the driver's buffer."""
        return bytes(data)


class JsonbBytes(JsonBytes):
    """`jsonb` as text, without the byte in front that tells its version."""

    def load(self, data: Any) -> bytes:
        """Drop the version."""
        return bytes(data[1:])


def keep_json_as_bytes(context: AdaptContext) -> None:
    """Make a connection or cursor hand JSON out unread."""
    context.adapters.register_loader("json", JsonBytes)
    context.adapters.register_loader("jsonb", JsonbBytes)


class Connection(Protocol):
    """The part of psycopg's connection that reads need."""

    async def execute(self, query: Any, params: Any = None, *, binary: bool = False) -> Any:
        """Send one statement."""


class Reader:
    """One connection, held for several statements; each sees what is committed by its start."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        """Read over `connection`."""
        self._connection = connection

    async def fetch_all(self, query: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of one statement."""
        cursor = await self._connection.execute(query, parameters, binary=True)
        rows: list[Row] = await cursor.fetchall()
        return rows

    async def fetch_one(self, query: str, parameters: Parameters = ()) -> Row | None:
        """The first row, None when there is none."""
        cursor = await self._connection.execute(query, parameters, binary=True)
        row: Row | None = await cursor.fetchone()
        return row


class ConnectionCut(Unavailable):
    """The connection ended in the middle: a restart, a failover, a kill."""


async def fetch_all(query: str, parameters: Parameters = ()) -> list[Row]:
    """Every row of one statement; parameters are written as psycopg does, `%s` or `%(name)s`.

    Raises: Unavailable, when no connection came free in time or the database is away.
    """
    return await _repeated(lambda reader: reader.fetch_all(query, parameters))


async def fetch_one(query: str, parameters: Parameters = ()) -> Row | None:
    """The first row of one statement, None when there is none; raises as `fetch_all`."""
    return await _repeated(lambda reader: reader.fetch_one(query, parameters))


async def _repeated[T](read: Callable[[Reader], Awaitable[T]]) -> T:
    try:
        async with reading() as reader:
            return await read(reader)
    except ConnectionCut:
        # A read changes nothing and may be sent again. The others idle in the pool were most
        # likely cut with this one, so they are looked at before.
        await (await _pool()).check()
    async with reading() as reader:
        return await read(reader)


@asynccontextmanager
async def reading() -> AsyncIterator[Reader]:
    """Hold one connection for several statements; not one transaction, and never retried.

    Raises: Unavailable, when no connection came free in time or the database is away.
    """
    pool = await _pool()
    try:
        connection = await pool.getconn()
    except (PoolTimeout, TooManyRequests, PoolClosed) as fault:
        logger.error("no connection to read with: %s", fault)  # noqa: TRY400 - no bug, no trace
        raise Unavailable from fault
    try:
        yield Reader(connection)
    except (psycopg.OperationalError, psycopg.InterfaceError) as fault:
        logger.error("the database does not answer: %s", fault)  # noqa: TRY400 - no bug, no trace
        raise (ConnectionCut if connection.broken else Unavailable) from fault
    finally:
        await pool.putconn(connection)


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()


async def _pool() -> Any:
    """The running loop's pool, opened at its first read: never before a fork."""
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None:
        pool = _pools[loop] = AsyncConnectionPool(
            kwargs=connection_parameters(), configure=_configure, open=False, **settings.READ_POOL
        )
        # Starts its tasks and returns at once, before any other request gets its turn.
        await pool.open()
    return pool


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    keep_json_as_bytes(connection)


def connection_parameters() -> dict[str, Any]:
    """What Django connects with, less its own cursor and adapters."""
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    for django_only in ("cursor_factory", "context"):
        del parameters[django_only]
    return parameters | {
        "autocommit": True,
        "prepare_threshold": 0,
        "application_name": APPLICATION_NAME,
        "options": f"{parameters.get('options', '')} {SESSION}".strip(),
    }


def pool_statistics() -> Mapping[str, int]:
    """psycopg's counters of the running loop's pool; nothing before the first read."""
    pool = _pools.get(asyncio.get_running_loop())
    return {} if pool is None else pool.get_stats()


async def close() -> None:
    """Close the running loop's pool, when the process stops serving."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()

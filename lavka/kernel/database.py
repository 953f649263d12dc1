"""Async reads: one bounded pool of PostgreSQL connections per process and event loop.

Named SQL, no ORM: rows come as tuples over the binary protocol, statements are prepared at
first use, and `json` and `jsonb` come as the bytes that go out again, not as Python objects.
Every connection is in autocommit and read-only; writes are services and go through Django.

A statement is sent at once while a connection is free. When all are busy, short statements that
wait are sent together as soon as one is (`lavka.kernel.pipeline`).

Tests inside a transaction lend the reader the test's own connection (tests/reading.py).
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from lavka.kernel.errors import Unavailable
from lavka.kernel.pipeline import Asked, Cut, Parameters, Pipeline, Row, keep_json_as_bytes

logger = logging.getLogger(__name__)

APPLICATION_NAME = "lavka reads"
# What is read here is in memory or on an SSD, and short: neither compiling a plan nor starting
# parallel workers for it pays, and both cost others their CPU. Rows are joined by their ids, so
# none that was looked up is looked up again.
SESSION = (
    "-c default_transaction_read_only=on -c timezone=UTC -c random_page_cost=1.1 -c jit=off"
    " -c max_parallel_workers_per_gather=0 -c statement_timeout=15s -c enable_memoize=off"
)
# How many short statements travel together; the last one waits for all before it.
MOST_TOGETHER = 16
RECONNECT_SECONDS = 0.25
# A session grows by what it caches of the catalogue.
LIFE_SECONDS = 3600.0


class Source(Protocol):
    """Where rows come from."""

    async def fetch(self, query: str, parameters: Parameters, *, is_short: bool) -> list[Row]:
        """Every row of one statement."""


async def fetch_all(
    query: str, parameters: Parameters = (), *, is_short: bool = False
) -> list[Row]:
    """Every row of one statement; parameters are written as psycopg does, `%s` or `%(name)s`.

    `is_short` says that it takes about a millisecond whatever the parameters, so that others may
    wait behind it. Raises: Unavailable, when no connection came free in time or the database is
    away.
    """
    source = _source()
    try:
        try:
            return await source.fetch(query, parameters, is_short=is_short)
        except Cut:
            # A read changes nothing and may be sent again.
            return await source.fetch(query, parameters, is_short=is_short)
    except (Cut, psycopg.OperationalError) as fault:
        logger.error("the database does not answer: %s", fault)  # noqa: TRY400 - no bug, no trace
        raise Unavailable from fault


async def fetch_one(
    query: str, parameters: Parameters = (), *, is_short: bool = False
) -> Row | None:
    """The first row of one statement, None when there is none; otherwise as `fetch_all`."""
    rows = await fetch_all(query, parameters, is_short=is_short)
    return rows[0] if rows else None


class Pool:
    """At most `size` connections of one event loop, opened when statements wait for them.

    A statement that is not sent within `wait_seconds` is refused. One whose caller is cancelled is
    cancelled in the server too, unless others travel with it.
    """

    def __init__(self, size: int, wait_seconds: float) -> None:
        """Open nothing yet."""
        self._size, self._wait_seconds = size, wait_seconds
        self._loop = asyncio.get_running_loop()
        self._pipelines: set[Pipeline] = set()
        self._free: list[Pipeline] = []
        self._waiting: deque[Asked] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._is_away = self._is_closed = self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._refused = 0

    async def fetch(self, query: str, parameters: Parameters, *, is_short: bool) -> list[Row]:
        """Every row of one statement; raises Cut, Unavailable, or what PostgreSQL says of it."""
        if self._is_closed:
            raise Cut("the pool is closed")
        deadline = self._loop.time() + self._wait_seconds
        asked = Asked(query, parameters, is_short=is_short, deadline=deadline)
        self._waiting.append(asked)
        self._look_soon()
        try:
            return await asked.future
        except asyncio.CancelledError:
            if asked.pipeline is not None:
                asked.pipeline.abandon(asked)
            raise

    def _look_soon(self) -> None:
        """Send what waits once everybody has asked who asks in this turn of the event loop."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._is_due = False
        if self._is_closed:
            return
        while self._free and (batch := self._next_batch()):
            self._free.pop().send(batch)
        if not self._waiting:
            return
        if len(self._pipelines) + len(self._opening) < (1 if self._is_away else self._size):
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        if self._timer is None:
            self._timer = self._loop.call_at(self._waiting[0].deadline, self._refuse)

    def _next_batch(self) -> list[Asked]:
        """A free connection's share of what waits, in order; a long statement goes alone."""
        share = min(math.ceil(len(self._waiting) / len(self._free)), MOST_TOGETHER)
        batch: list[Asked] = []
        while self._waiting and len(batch) < share:
            asked = self._waiting[0]
            if not asked.is_short and batch:
                break
            self._waiting.popleft()
            if not asked.future.done():
                batch.append(asked)
                if not asked.is_short:
                    break
        return batch

    async def _open(self) -> None:
        try:
            connection = await psycopg.AsyncConnection.connect(**connection_parameters())
        except psycopg.Error as fault:
            logger.error("no connection to read with: %s", fault)  # noqa: TRY400 - no bug, no trace
            self._is_away = True
            self._loop.call_later(RECONNECT_SECONDS, self._look_soon)
            return
        self._is_away = False
        keep_json_as_bytes(connection)
        pipeline = Pipeline(
            connection, on_free=self._came_free, on_end=self._ended, on_left=self._left
        )
        self._pipelines.add(pipeline)
        self._came_free(pipeline)

    def _came_free(self, pipeline: Pipeline) -> None:
        if self._loop.time() - pipeline.began > LIFE_SECONDS:
            pipeline.close()
            return
        self._free.append(pipeline)
        if self._waiting:
            self._look_soon()

    def _ended(self, pipeline: Pipeline) -> None:
        self._pipelines.discard(pipeline)
        if pipeline in self._free:
            self._free.remove(pipeline)
        if not self._is_closed:
            # The others were most likely cut with this one.
            for other in tuple(self._free):
                other.read()
            self._look_soon()

    def _left(self, asked: Asked) -> None:
        self._waiting.appendleft(asked)

    def _refuse(self) -> None:
        """Tell those who have waited too long."""
        self._timer = None
        now = self._loop.time()
        while self._waiting and (
            self._waiting[0].deadline <= now or self._waiting[0].future.done()
        ):
            asked = self._waiting.popleft()
            if not asked.future.done():
                self._refused += 1
                logger.error("no connection to read with came free in time")
                asked.fail(Unavailable())
        self._look_soon()

    def statistics(self) -> Mapping[str, int]:
        """Connections, those that are free, statements that wait, and those that were refused."""
        return {
            "pool_size": len(self._pipelines),
            "pool_available": len(self._free),
            "requests_waiting": len(self._waiting),
            "requests_errors": self._refused,
        }

    async def close(self) -> None:
        """Hang up; what still waits gets no answer."""
        self._is_closed = True
        for task in self._opening:
            task.cancel()
        for pipeline in tuple(self._pipelines):
            pipeline.close()
        for asked in self._waiting:
            asked.fail(Cut("the pool is closed"))
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def _source() -> Source:
    """The running loop's pool, made at its first read: never before a fork."""
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None:
        pool = _pools[loop] = Pool(settings.READ_CONNECTIONS, settings.READ_WAIT_SECONDS)
    return pool


def connection_parameters() -> dict[str, Any]:
    """What Django connects with, less its own cursor and adapters."""
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    for django_only in ("cursor_factory", "context"):
        del parameters[django_only]
    return parameters | {
        "autocommit": True,
        "application_name": APPLICATION_NAME,
        "options": f"{parameters.get('options', '')} {SESSION}".strip(),
    }


def pool_statistics() -> Mapping[str, int]:
    """The running loop's pool in numbers; nothing before the first read."""
    pool = _pools.get(asyncio.get_running_loop())
    return {} if pool is None else pool.statistics()


async def close() -> None:
    """Close the running loop's pool, when the process stops serving."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()

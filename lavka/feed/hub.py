"""Streams of new events: one LISTEN connection and one query for all streams of a process.

The hub follows the log while somebody listens and keeps its tail. A stream that is near the end
reads from the tail, one that is behind reads pages until it gets there; an idle one holds neither
a thread nor a connection.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import islice
from weakref import WeakKeyDictionary

import psycopg

from lavka.feed import selectors
from lavka.feed.selectors import Event
from lavka.kernel import database, log
from lavka.kernel.errors import Unavailable

logger = logging.getLogger(__name__)

TAIL, BATCH = 1000, 500
HEARTBEAT_SECONDS = 15.0
# Notifications may be lost with their connection, and without a worker there are none.
POLL_SECONDS = 1.0
PAUSE_SECONDS = 1.0
STREAM_SECONDS = 300.0
# Of one process: each holds a connection of a client.
MAX_LISTENERS = 500
# How often a stream asks whether its listener may still listen.
CHECK_SECONDS = 2.0

Check = Callable[[], Awaitable[bool]]


class Permit:
    """A stream's permission to go on, asked for anew every `CHECK_SECONDS`."""

    def __init__(self, is_allowed: Check) -> None:
        """It was allowed when it began."""
        self._is_allowed = is_allowed
        self._clock = asyncio.get_running_loop().time
        self.check_at = self._clock() + CHECK_SECONDS

    async def holds(self) -> bool:
        """Whether it may go on; while the database cannot be asked, this waits."""
        if self._clock() < self.check_at:
            return True
        while True:
            try:
                is_allowed = await self._is_allowed()
                break
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
        self.check_at = self._clock() + CHECK_SECONDS
        return is_allowed


class Hub:
    """The tail of the log, for the streams of one event loop."""

    def __init__(self) -> None:
        """Follow nothing until somebody listens."""
        self.listeners = 0
        self._floor: int | None = None
        self._tail: deque[Event] = deque()
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    async def stream(
        self, *, after: int, name: str, is_allowed: Check
    ) -> AsyncGenerator[Event | None]:
        """Events beyond `after` as they are recorded, and None whenever it was quiet for long.

        It ends once `is_allowed`, asked every `CHECK_SECONDS`, says no.
        """
        clock = asyncio.get_running_loop().time
        ends_at, beat_at = clock() + STREAM_SECONDS, clock() + HEARTBEAT_SECONDS
        permit = Permit(is_allowed)
        self._join()
        try:
            while clock() < ends_at and await permit.holds():
                news = self._news
                events = await self._after(after)
                for event in events:
                    if not await permit.holds():
                        return
                    after = event.position
                    if name in {"", event.name}:
                        yield event
                        beat_at = clock() + HEARTBEAT_SECONDS
                if events or await _is_set(news, min(beat_at, permit.check_at) - clock()):
                    continue
                if clock() >= beat_at:
                    yield None
                    beat_at = clock() + HEARTBEAT_SECONDS
        finally:
            self._leave()

    def require_room(self) -> None:
        """Refuse one listener more than `MAX_LISTENERS`; raises Unavailable."""
        if self.listeners >= MAX_LISTENERS:
            raise Unavailable

    def _join(self) -> None:
        self.listeners += 1
        if self._following is None:
            self._following = asyncio.create_task(self._follow())

    def _leave(self) -> None:
        self.listeners -= 1
        if not self.listeners and self._following is not None:
            self._following.cancel()
            self._following, self._floor = None, None
            self._tail.clear()

    async def _after(self, position: int) -> Sequence[Event]:
        if self._floor is not None and position >= self._floor:
            return list(islice(self._tail, position - self._floor, None))
        return await selectors.events_after(position, limit=BATCH)

    async def _follow(self) -> None:
        while True:
            try:
                await self._follow_while_connected()
            except (psycopg.Error, Unavailable, OSError) as fault:
                logger.warning("the feed waits: %s", fault)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _follow_while_connected(self) -> None:
        parameters = database.connection_parameters() | {"application_name": "lavka feed"}
        async with await psycopg.AsyncConnection.connect(**parameters) as connection:
            await connection.execute(f"LISTEN {log.RECORDED}")
            while True:
                await self._catch_up()
                async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass

    async def _catch_up(self) -> None:
        last = (await selectors.bounds()).last
        if self._floor is None:
            self._floor = last
            # A stream that began before may have missed what was recorded in between.
            self._tell()
        head = self._floor + len(self._tail)
        while head < last and (events := await selectors.events_after(head, limit=BATCH)):
            self._tail.extend(events)
            head = self._floor + len(self._tail)
            while len(self._tail) > TAIL:
                self._floor = self._tail.popleft().position
            self._tell()

    def _tell(self) -> None:
        told, self._news = self._news, asyncio.Event()
        told.set()


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The running loop's hub."""
    loop = asyncio.get_running_loop()
    return _hubs.setdefault(loop, Hub())

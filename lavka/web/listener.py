"""What PostgreSQL tells a process: one LISTEN connection for all that keep something in memory.

Each subscriber has a channel. It is told of its notices, of the connection being made (when it
reads what it missed), about once a second that the connection still answers, and of its loss.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import psycopg

from lavka.kernel import database

logger = logging.getLogger(__name__)

APPLICATION_NAME = "lavka listener"
CHECK_SECONDS = 0.75
ANSWER_SECONDS = 1.0
RECONNECT_SECONDS = 1.0

Connection = psycopg.AsyncConnection[Any]


class Subscriber(Protocol):
    """Something that listens on a channel."""

    @property
    def channel(self) -> str:
        """What it listens on."""

    async def connected(self, connection: Connection) -> None:
        """From now on notices arrive; read what was missed."""

    def notified(self, payload: str) -> None:
        """A notice came."""

    async def checked(self, connection: Connection) -> None:
        """Look whether the connection answers, if that is of use."""

    def lost(self) -> None:
        """From now on notices may be missed."""


async def listen(subscribers: Sequence[Subscriber]) -> None:
    """Tell the subscribers, for the life of the process."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**_parameters()) as connection:
                await _follow(connection, subscribers)
        except (psycopg.Error, OSError) as fault:
            logger.warning("the listener lost its connection: %s", fault)
        finally:
            for subscriber in subscribers:
                subscriber.lost()
        await asyncio.sleep(RECONNECT_SECONDS)


async def _follow(connection: Connection, subscribers: Sequence[Subscriber]) -> None:
    by_channel = {subscriber.channel: subscriber for subscriber in subscribers}
    for channel in by_channel:
        await connection.execute(f"LISTEN {channel}")
    for subscriber in subscribers:
        await subscriber.connected(connection)
    while True:
        async for notice in connection.notifies(timeout=CHECK_SECONDS):
            by_channel[notice.channel].notified(notice.payload)
        async with asyncio.timeout(ANSWER_SECONDS):  # a TimeoutError is an OSError
            for subscriber in subscribers:
                await subscriber.checked(connection)


def _parameters() -> dict[str, Any]:
    return database.connection_parameters() | {"application_name": APPLICATION_NAME}


class Listener:
    """The listener of one process."""

    def __init__(self, *subscribers: Subscriber) -> None:
        """Begin to listen, on the running loop."""
        self._task = asyncio.create_task(listen(subscribers), name="listener")

    async def stop(self) -> None:
        """Listen no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

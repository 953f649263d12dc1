"""Which sessions ended: their access tokens are refused at once, without a query per request.

An access token is verified by its signature alone and lives for minutes. A trigger writes each
session that ends, however it ends, into `web_endedsession` and notifies every process; each keeps
the ids until the last token of such a session has expired. A process that may have missed a
notice, as it has just started or its connection does not answer, asks the database at each request
until it has read the table again. So no process accepts a token longer than `FRESH_SECONDS` after
the commit that ended its session.
"""

import datetime
import logging
import time
from uuid import UUID

from rest_framework_simplejwt.tokens import AccessToken

from lavka.kernel import database
from lavka.web.listener import Connection
from lavka.web.models import EndedSession

logger = logging.getLogger(__name__)

CHANNEL = "lavka_sessions"
FRESH_SECONDS = 2.0
# A transaction that ends a session writes the row some time before it commits.
LONGEST_TRANSACTION = datetime.timedelta(hours=1)
RECENT = datetime.timedelta(seconds=15)
# About 10 MB. With more, the database is asked at each request for a while.
MAX_ENDED, TOO_MANY_SECONDS = 50_000, 30.0

_SINCE = "SELECT id FROM web_endedsession WHERE ended_at > now() - %s LIMIT %s"
_IS_ENDED = "SELECT EXISTS (SELECT FROM web_endedsession WHERE id = %s)"


def kept_for() -> datetime.timedelta:
    """How long the table keeps a session: until none of its access tokens is accepted anywhere."""
    lifetime: datetime.timedelta = AccessToken.lifetime
    return lifetime + LONGEST_TRANSACTION


class EndedSessions:
    """The sessions that ended lately, as one process knows them."""

    channel = CHANNEL

    def __init__(self) -> None:
        """Know nothing until the channel stands."""
        # Until when each is kept, by the monotonic clock; in the order in which they came.
        self._ended: dict[UUID, float] = {}
        self._fresh_until = self._too_many_until = 0.0

    def is_fresh(self) -> bool:
        """Whether no session can be missing that ended earlier than `FRESH_SECONDS` ago."""
        return time.monotonic() < self._fresh_until

    def has(self, session_id: UUID) -> bool:
        """Whether the session is known to have ended."""
        return session_id in self._ended

    async def connected(self, connection: Connection) -> None:
        """Read all that may still matter."""
        await self._read(connection, kept_for())

    def notified(self, payload: str) -> None:
        """Keep the session."""
        self._add(UUID(payload))

    async def checked(self, connection: Connection) -> None:
        """Read the last seconds once more: it shows that the connection answers, and costs no more.

        All is read, when there were too many to keep.
        """
        if not self._too_many_until:
            await self._read(connection, RECENT)
        elif time.monotonic() >= self._too_many_until:
            self._too_many_until = 0.0
            await self._read(connection, kept_for())

    def lost(self) -> None:
        """Sessions may be missing from now on."""
        self._fresh_until = 0.0

    async def _read(self, connection: Connection, since: datetime.timedelta) -> None:
        asked_at = time.monotonic()
        cursor = await connection.execute(_SINCE, [since, MAX_ENDED + 1])
        for (session_id,) in await cursor.fetchall():
            self._add(session_id)
        if not self._too_many_until:
            self._fresh_until = asked_at + FRESH_SECONDS

    def _add(self, session_id: UUID) -> None:
        now = time.monotonic()
        while self._ended and next(iter(self._ended.values())) <= now:
            del self._ended[next(iter(self._ended))]
        if len(self._ended) >= MAX_ENDED:
            logger.warning("more than %d sessions ended within minutes", MAX_ENDED)
            self._ended.clear()
            self._fresh_until, self._too_many_until = 0.0, now + TOO_MANY_SECONDS
        elif not self._too_many_until and session_id not in self._ended:
            self._ended[session_id] = now + AccessToken.lifetime.total_seconds()


_sessions: EndedSessions | None = None


def start() -> EndedSessions:
    """What the process's listener keeps up to date."""
    global _sessions  # noqa: PLW0603 - one per process
    _sessions = EndedSessions()
    return _sessions


def stop() -> None:
    """Ask the database from now on."""
    global _sessions  # noqa: PLW0603 - one per process
    _sessions = None


async def is_ended(session_id: UUID) -> bool:
    """Whether the session of an access token has ended; raises Unavailable."""
    if _sessions is not None and _sessions.is_fresh():
        return _sessions.has(session_id)
    row = await database.fetch_one(_IS_ENDED, [session_id], is_short=True)
    return row is not None and bool(row[0])


def purge(*, at: datetime.datetime) -> int:
    """Forget the sessions of which no access token is accepted any more; returns how many."""
    return EndedSession.objects.filter(ended_at__lt=at - kept_for()).delete()[0]

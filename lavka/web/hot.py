"""Hot answers: what anonymous callers ask of the catalogue again and again, kept for an instant.

Each process keeps its own, bounded in bytes. An answer is served at most `hot_seconds` (a view's
attribute, 2 by default) after its computation began, and less when something changes: whoever
changes what public reads show calls `invalidate` in the same transaction. PostgreSQL tells every
process at the commit (LISTEN/NOTIFY), and each forgets all it keeps: there are no dependencies to
get wrong, and recomputing an answer is cheap, as it is shared by all who wait for it.

While a process has no connection to listen on (`lavka.web.listener`) it keeps nothing: an outage
costs speed, never freshness. A connection that died without a word is bounded by `hot_seconds`
too. What was being computed while something changed is given to those who asked before, and not
kept.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import get_language

from lavka.web import caching
from lavka.web.listener import Connection
from lavka.web.metrics import HOT_ANSWERS

CHANNEL = "lavka_hot"
SECONDS = 2.0
MAX_BYTES = 4 * 1024 * 1024

HIT, MISS = HOT_ANSWERS.labels("hit"), HOT_ANSWERS.labels("miss")

Key = tuple[str, str, str | None]


def invalidate() -> None:
    """Make every process forget its hot answers when the caller's transaction commits.

    For the transaction that refreshes cards, categories, or anything else that reads with a public
    `Cache-Control` show. As often as you like: PostgreSQL sends one notice per transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its headers, `ETag` among them; good until the monotonic clock says `until`."""

    body: bytes
    headers: dict[str, str]
    until: float

    def response(self) -> HttpResponse:
        """A response of its own for each caller."""
        return HttpResponse(self.body, headers=self.headers)


class HotAnswers:
    """The hot answers of one process."""

    channel = CHANNEL

    def __init__(self) -> None:
        """Keep nothing until the channel stands."""
        self.is_listening = False
        self._kept: dict[Key, Answer] = {}
        self._bytes = 0
        self._flights: dict[Key, asyncio.Future[Answer | None]] = {}

    async def answer(
        self,
        request: HttpRequest,
        seconds: float,
        compute: Callable[[], Awaitable[HttpResponseBase]],
    ) -> HttpResponseBase:
        """A kept answer, that of a request which is computing it now, or a new one.

        A client that has the answer already gets 304.
        """
        key = (request.path, request.META["QUERY_STRING"], get_language())
        offered = request.META.pop("HTTP_IF_NONE_MATCH", None)
        kept = self._kept.get(key)
        if kept is None and (flight := self._flights.get(key)) is not None:
            # Shielded: who waits may leave without taking the answer from the others.
            kept = await asyncio.shield(flight)
        if kept is not None and time.monotonic() < kept.until:
            HIT.inc()
            return caching.unless_known(offered, kept.response())
        MISS.inc()
        computed = await self._computed(key, seconds, compute)
        if isinstance(computed, HttpResponse):
            return caching.unless_known(offered, computed)
        return computed

    async def _computed(
        self, key: Key, seconds: float, compute: Callable[[], Awaitable[HttpResponseBase]]
    ) -> HttpResponseBase:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        answer: Answer | None = None
        until = time.monotonic() + seconds
        try:
            response = await compute()
            answer = _shareable(response, until)
        finally:
            flight.set_result(answer)
            # Another flight, or none, means that something changed meanwhile.
            if self._flights.get(key) is flight:
                del self._flights[key]
                if answer is not None:
                    self._keep(key, answer)
        return response

    def _keep(self, key: Key, answer: Answer) -> None:
        if key in self._kept:
            self._drop(key)
        self._kept[key] = answer
        self._bytes += _size(key, answer)
        while self._bytes > MAX_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        self._bytes -= _size(key, self._kept.pop(key))

    def forget(self) -> None:
        """Forget all answers, and those that are just being computed."""
        self._kept.clear()
        self._flights.clear()
        self._bytes = 0

    async def connected(self, connection: Connection) -> None:
        """Keep answers from now on."""
        self.is_listening = True

    def notified(self, payload: str) -> None:
        """Something changed."""
        self.forget()

    async def checked(self, connection: Connection) -> None:
        """Nothing to do: an answer is never older than its view says."""

    def lost(self) -> None:
        """Keep nothing while notices may be missed."""
        self.is_listening = False
        self.forget()


def _shareable(response: HttpResponseBase, until: float) -> Answer | None:
    """What everyone may get: a whole public 200, without a word about this caller."""
    if (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and "ETag" in response.headers
        and response.headers.get("Cache-Control", "").startswith("public")
        and "RateLimit" not in response.headers
        and not response.cookies
    ):
        return Answer(response.content, dict(response.headers), until)
    return None


def _size(key: Key, answer: Answer) -> int:
    # What Python adds to a body is about a kilobyte.
    return len(answer.body) + len(key[0]) + len(key[1]) + 1024


_answers: HotAnswers | None = None


def start() -> HotAnswers:
    """What the process's listener tells of changes."""
    global _answers  # noqa: PLW0603 - one per process
    _answers = HotAnswers()
    return _answers


def stop() -> None:
    """Keep nothing any more."""
    global _answers  # noqa: PLW0603 - one per process
    _answers = None


def answers_for(request: HttpRequest) -> HotAnswers | None:
    """The process's hot answers, if the request may have one: an anonymous read, and listening."""
    if (
        _answers is not None
        and _answers.is_listening
        and request.method in {"GET", "HEAD"}
        and "HTTP_AUTHORIZATION" not in request.META
    ):
        return _answers
    return None

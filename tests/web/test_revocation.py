"""How a process learns which sessions ended, and what it does while it may have missed one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, transaction
from rest_framework_simplejwt.tokens import AccessToken

from lavka.kernel import database
from lavka.kernel.threads import in_thread
from lavka.web import listener, revocation
from lavka.web.listener import Listener
from lavka.web.models import EndedSession
from lavka.web.revocation import EndedSessions

pytestmark = pytest.mark.usefixtures("worker_threads", "read_pool", "sessions_are_asked")


@pytest.fixture
async def sessions() -> AsyncIterator[EndedSessions]:
    """What this process knows, once it listens."""
    known = revocation.start()
    listening = Listener(known)
    await until(known.is_fresh)
    yield known
    await listening.stop()
    revocation.stop()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are sent to the database for a request."""
    sent: list[str] = []
    fetch_one = database.fetch_one

    async def noting(query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await fetch_one(query, *args, **options)

    monkeypatch.setattr(database, "fetch_one", noting)
    return sent


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def end(session_id: UUID, *, is_committed: bool = True) -> None:
    """What the trigger of the sessions does."""
    with transaction.atomic(), connection.cursor() as cursor:
        EndedSession.objects.create(pk=session_id)
        cursor.execute("SELECT pg_notify(%s, %s)", [revocation.CHANNEL, str(session_id)])
        transaction.set_rollback(not is_committed)


async def test_it_is_told_at_the_commit_and_asks_nobody(sessions: EndedSessions, asked: list[str]):
    ended, undone, other = uuid4(), uuid4(), uuid4()

    await in_thread(end, undone, is_committed=False)
    await in_thread(end, ended)
    await until(lambda: sessions.has(ended))

    answers = [await revocation.is_ended(each) for each in (ended, undone, other)]
    assert (answers, asked) == ([True, False, False], [])


async def test_without_a_listener_it_asks(asked: list[str]):
    ended = uuid4()
    await in_thread(end, ended)

    assert [await revocation.is_ended(each) for each in (ended, uuid4())] == [True, False]
    assert len(asked) == 2


async def test_what_ended_before_it_listened_is_known(asked: list[str]):
    ended = uuid4()
    await in_thread(end, ended)
    known = revocation.start()
    listening = Listener(known)
    await until(known.is_fresh)

    assert (await revocation.is_ended(ended), asked) == (True, [])
    await listening.stop()
    revocation.stop()


async def test_while_its_connection_is_gone_it_asks_and_then_it_knows_what_it_missed(
    sessions: EndedSessions, asked: list[str], monkeypatch: pytest.MonkeyPatch
):
    may_reconnect = asyncio.Event()
    connect = psycopg.AsyncConnection.connect

    async def connect_later(**parameters: Any) -> Any:
        if parameters["application_name"] == listener.APPLICATION_NAME:
            await may_reconnect.wait()
        return await connect(**parameters)

    monkeypatch.setattr(listener, "RECONNECT_SECONDS", 0)
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect_later)
    ended = uuid4()

    await cut()
    await until(lambda: not sessions.is_fresh())
    await in_thread(end, ended)
    assert not sessions.has(ended)
    assert (await revocation.is_ended(ended), len(asked)) == (True, 1)

    may_reconnect.set()
    await until(sessions.is_fresh)
    assert (await revocation.is_ended(ended), len(asked)) == (True, 1)


async def test_a_connection_that_does_not_answer_is_trusted_for_two_seconds(
    sessions: EndedSessions, monkeypatch: pytest.MonkeyPatch
):
    checked = asyncio.Event()

    async def never(self: EndedSessions, connection: Any) -> None:
        checked.set()
        await asyncio.Future()

    monkeypatch.setattr(EndedSessions, "checked", never)
    await checked.wait()
    last = sessions._fresh_until

    def is_fresh_at(now: float) -> bool:
        with monkeypatch.context() as patched:
            patched.setattr(revocation.time, "monotonic", lambda: now)
            return sessions.is_fresh()

    assert [is_fresh_at(last - 0.001), is_fresh_at(last)] == [True, False]
    assert revocation.FRESH_SECONDS == 2.0


async def test_a_listener_that_gets_no_answer_connects_anew(
    sessions: EndedSessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(listener, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(listener, "RECONNECT_SECONDS", 0)
    connected: list[bool] = []

    async def never(self: EndedSessions, connection: Any) -> None:
        await asyncio.Future()

    async def note(self: EndedSessions, connection: Any) -> None:
        connected.append(True)

    monkeypatch.setattr(EndedSessions, "checked", never)
    monkeypatch.setattr(EndedSessions, "connected", note)

    await until(lambda: len(connected) == 2)
    assert "the listener lost its connection" in caplog.text


async def test_a_notice_that_got_lost_is_found_by_looking(sessions: EndedSessions):
    ended = uuid4()

    await in_thread(EndedSession.objects.create, pk=ended)

    await until(lambda: sessions.has(ended))


def test_a_session_is_kept_for_the_life_of_an_access_token(monkeypatch: pytest.MonkeyPatch):
    known, now = EndedSessions(), 1000.0
    monkeypatch.setattr(revocation.time, "monotonic", lambda: now)
    first, second = uuid4(), uuid4()

    known.notified(str(first))
    now += AccessToken.lifetime.total_seconds() - 1
    known.notified(str(second))
    kept = [known.has(first), known.has(second)]
    now += 1
    known.notified(str(uuid4()))

    assert kept == [True, True]
    assert [known.has(first), known.has(second), len(known._ended)] == [False, True, 2]


async def test_with_more_than_it_can_keep_it_asks_until_there_are_fewer(
    sessions: EndedSessions, asked: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(revocation, "MAX_ENDED", 3)
    monkeypatch.setattr(revocation, "TOO_MANY_SECONDS", 0.2)
    ended = [uuid4() for _ in range(5)]
    for each in ended:
        await in_thread(end, each)

    await until(lambda: not sessions.is_fresh())
    assert await revocation.is_ended(ended[0])
    assert len(asked) == 1
    assert len(sessions._ended) <= 3

    await in_thread(EndedSession.objects.exclude(pk=ended[4]).delete)
    await until(sessions.is_fresh)
    assert (await revocation.is_ended(ended[4]), len(asked)) == (True, 1)


async def cut() -> None:
    async with await psycopg.AsyncConnection.connect(**database.connection_parameters()) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'lavka listener'"
        )

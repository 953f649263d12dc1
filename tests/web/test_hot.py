import asyncio
import json
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from django.db import transaction

from lavka.kernel import database
from lavka.kernel.threads import in_thread
from lavka.web import hot, listener
from lavka.web.handler import FastLane
from lavka.web.listener import Listener
from tests.web import probe
from tests.web.asgi import Client

pytestmark = pytest.mark.usefixtures("worker_threads")


@pytest.fixture
async def lane() -> AsyncIterator[FastLane]:
    """The fast lane, once its hot answers are listening."""
    probe.COUNTED.clear()
    probe.GATE = asyncio.Event()
    listening = Listener(hot.start())
    await until(lambda: hot._answers.is_listening)
    yield FastLane()
    await listening.stop()
    hot.stop()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def read(lane: FastLane, query: str = "", **headers: str) -> Client:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await Client("GET", "/api/v1/counted/", headers=named, query=query.encode()).ask(lane)


def number(client: Client) -> int:
    return int(json.loads(client.body)["number"])


async def test_the_same_question_is_computed_once(lane):
    first, second = await read(lane), await read(lane)

    assert (number(first), number(second)) == (1, 1)
    assert first.body == second.body
    assert first.answered.keys() == second.answered.keys()
    for name in ("etag", "cache-control", "content-type", "content-length", "vary"):
        assert first.answered[name] == second.answered[name]
    assert first.answered["x-request-id"] != second.answered["x-request-id"]


async def test_another_query_and_another_language_are_other_questions(lane):
    answers = [
        await read(lane),
        await read(lane, query="limit=2"),
        await read(lane, accept_language="ru"),
        await read(lane, accept_language="ru-RU,ru;q=0.9"),
    ]

    assert [number(client) for client in answers] == [1, 2, 3, 3]


async def test_a_caller_with_a_token_is_neither_served_nor_overheard(lane):
    token = {"authorization": f"Bearer {probe.token()}"}

    answers = [await read(lane, **token), await read(lane), await read(lane, **token)]

    assert [number(client) for client in answers] == [1, 2, 3]


async def test_who_has_it_already_gets_304_and_the_others_the_whole(lane):
    tag = (await read(lane)).answered["etag"]
    hot._answers.forget()
    probe.COUNTED.clear()

    computed = await read(lane, if_none_match=tag)
    kept = await read(lane, if_none_match=tag)
    whole = await read(lane)

    assert [computed.status, kept.status, whole.status] == [304, 304, 200]
    assert (kept.body, kept.answered["etag"]) == (b"", tag)
    assert number(whole) == 1


async def test_all_who_ask_at_once_share_one_computation(lane):
    asking = [asyncio.create_task(read(lane, "gated=1")) for _ in range(30)]
    await until(lambda: len(probe.COUNTED) == 1)

    probe.GATE.set()
    answers = await asyncio.gather(*asking)

    assert {number(client) for client in answers} == {1}


async def test_when_the_one_who_computes_leaves_the_others_are_served(lane):
    first = asyncio.create_task(read(lane, "gated=1"))
    await until(lambda: len(probe.COUNTED) == 1)
    others = [asyncio.create_task(read(lane, "gated=1")) for _ in range(3)]
    await asyncio.sleep(0)

    first.cancel()
    probe.GATE.set()

    answers = await asyncio.gather(*others)
    assert [client.status for client in answers] == [200, 200, 200]


async def test_a_refusal_is_not_kept(lane):
    refused = [await read(lane, "limit=0"), await read(lane, "limit=0")]

    assert [client.status for client in refused] == [422, 422]
    assert len(probe.COUNTED) == 2


async def test_an_answer_that_counts_a_limit_is_each_callers_own(lane):
    async def ask() -> Client:
        return await Client("GET", "/api/v1/limited/").ask(lane)

    first, second = await ask(), await ask()

    assert number(first) != number(second)


async def test_it_is_never_older_than_the_view_says(lane, monkeypatch):
    monkeypatch.setattr(probe.Counted, "hot_seconds", 0.05)
    await read(lane)
    kept = next(iter(hot._answers._kept.values()))
    monkeypatch.setattr(hot.time, "monotonic", lambda: kept.until)

    assert number(await read(lane)) == 2


async def test_a_view_may_keep_out(lane, monkeypatch):
    monkeypatch.setattr(probe.Counted, "hot_seconds", 0)

    assert [number(await read(lane)), number(await read(lane))] == [1, 2]


async def test_a_change_is_forgotten_everywhere_at_its_commit(lane):
    def change(is_committed: bool) -> None:
        with transaction.atomic():
            hot.invalidate()
            hot.invalidate()
            transaction.set_rollback(not is_committed)

    await read(lane)
    await in_thread(change, False)
    await in_thread(change, False)
    assert number(await read(lane)) == 1

    await in_thread(change, True)
    await until(lambda: not hot._answers._kept)
    assert number(await read(lane)) == 2


async def test_what_was_being_computed_during_a_change_is_not_kept(lane):
    before = asyncio.create_task(read(lane, "gated=1"))
    await until(lambda: len(probe.COUNTED) == 1)

    hot._answers.forget()
    after = asyncio.create_task(read(lane, "gated=1"))
    await until(lambda: len(probe.COUNTED) == 2)
    probe.GATE.set()

    assert (number(await before), number(await after)) == (1, 2)
    assert number(await read(lane, "gated=1")) == 2


async def test_without_its_channel_it_keeps_nothing_and_comes_back(lane, monkeypatch, caplog):
    monkeypatch.setattr(listener, "RECONNECT_SECONDS", 0.3)
    await read(lane)

    await cut_the_channel()
    await until(lambda: not hot._answers.is_listening)
    assert [number(await read(lane)), number(await read(lane))] == [2, 3]
    assert "the listener lost its connection" in caplog.text

    await until(lambda: hot._answers.is_listening)
    assert [number(await read(lane)), number(await read(lane))] == [4, 4]


async def cut_the_channel() -> None:
    async with await psycopg.AsyncConnection.connect(**database.connection_parameters()) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'lavka listener'"
        )


async def test_its_memory_is_bounded_and_the_oldest_go_first(lane, monkeypatch):
    monkeypatch.setattr(hot, "MAX_BYTES", 5000)

    for page in range(1, 9):
        await read(lane, f"limit={page}")

    kept = [query for _, query, _ in hot._answers._kept]
    assert kept == ["limit=5", "limit=6", "limit=7", "limit=8"]
    assert hot._answers._bytes <= 5000
    hot._answers.forget()
    assert hot._answers._bytes == 0


async def test_before_the_process_serves_nothing_is_kept():
    probe.COUNTED.clear()
    lane = FastLane()

    assert [number(await read(lane)), number(await read(lane))] == [1, 2]

"""The stream over a real server: every event, from where a client was, and nothing kept idle."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager

import httpx
import psycopg
import pytest
from django.db import connection

from lavka.catalog.events import BrandChanged
from lavka.feed.hub import hub
from lavka.kernel import events, log
from lavka.kernel.models import RecordedEvent
from tests.accounts.factories import make_staff, token_of
from tests.client import Api
from tests.e2e.shop import Shop

STREAM = "/api/v1/manage/events/stream/"
APPEND = """
INSERT INTO kernel_outboxevent (name, aggregate, payload)
SELECT %s, uuidv7(), jsonb_build_object('n', n) FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One web process and no worker: the stream records for itself."""
    with Shop(tmp_path_factory.mktemp("stream"), workers=0, web_workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def key(shop: Shop) -> str:
    said = shop.manage(
        "shell",
        "-c",
        "from django.utils import timezone\n"
        "from lavka.accounts.models import User\n"
        "from lavka.accounts.services import keys\n"
        "staff = User.objects.create_superuser('chief@example.com', 'correct horse battery')\n"
        "print(keys.create_key(name='test', scopes=['events:read'], created_by=staff.pk,\n"
        "    expires_at=None, at=timezone.now())[1])",
    )
    return said.split()[-1]


async def always() -> bool:
    return True


def append(shop: Shop, number: int, name: str = "tests.streamed") -> None:
    parameters = {
        name.removeprefix("POSTGRES_").lower(): shop.environment[name]
        for name in ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD")
    }
    with psycopg.connect(dbname=shop.database, **parameters) as own:
        own.execute(APPEND, [name, number])


@asynccontextmanager
async def listening(shop: Shop, key: str, query: str = "", **headers: str) -> AsyncIterator:
    headers = {"Authorization": f"Bearer {key}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with (
        httpx.AsyncClient(base_url=shop.base_url, timeout=20) as client,
        client.stream("GET", f"{STREAM}{query}", headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        if answer.status_code == 200:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            assert await anext(lines) == "retry: 2000"
        yield answer, _told(lines)


async def _told(lines: AsyncIterator[str]) -> AsyncIterator[tuple[int, str, dict]]:
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def first(number: int, told: AsyncIterator) -> list[tuple[int, str, dict]]:
    return [await anext(told) for _ in range(number)]


async def test_events_come_as_they_are_committed_and_go_on_after_a_break(shop: Shop, key: str):
    async with listening(shop, key) as (_, told):
        await asyncio.to_thread(append, shop, 3)
        before = await first(3, told)
    await asyncio.to_thread(append, shop, 2)
    async with listening(shop, key, Last_Event_ID=str(before[-1][0])) as (_, told):
        after = await first(2, told)
        await asyncio.to_thread(append, shop, 1)
        after += await first(1, told)

    positions = [position for position, _, _ in before + after]
    assert positions == list(range(positions[0], positions[0] + 6))
    assert [event["payload"]["n"] for _, _, event in before + after] == [1, 2, 3, 1, 2, 1]
    assert {name for _, name, _ in before} == {"tests.streamed"}


async def test_a_stream_of_one_name_says_nothing_else(shop: Shop, key: str):
    async with listening(shop, key, "?name=tests.wanted") as (_, told):
        await asyncio.to_thread(append, shop, 2)
        await asyncio.to_thread(append, shop, 1, "tests.wanted")
        ((_, name, _),) = await first(1, told)

    assert name == "tests.wanted"


async def test_a_stream_that_cannot_go_on_is_refused_before_it_begins(shop: Shop, key: str):
    async with listening(shop, key, "?after=999999") as (ahead, _):
        assert ahead.status_code == 409
    async with listening(shop, "lavka_nobody") as (unknown, _):
        assert unknown.status_code == 401
    async with listening(shop, key, Last_Event_ID="seven") as (odd, _):
        assert odd.status_code == 422


async def test_idle_streams_share_one_connection_that_ends_with_them(shop: Shop, key: str):
    quiet = _database_sessions(shop, "lavka feed")
    async with asyncio.TaskGroup() as group:
        opened = asyncio.Semaphore(0)
        may_leave = asyncio.Event()

        async def stay() -> None:
            async with listening(shop, key) as (_, told):
                heard = asyncio.create_task(first(1, told))
                opened.release()
                assert len(await heard) == 1
                await may_leave.wait()

        for _ in range(20):
            group.create_task(stay())
        for _ in range(20):
            await opened.acquire()
        await asyncio.to_thread(append, shop, 1)
        busy = await _until(lambda: _database_sessions(shop, "lavka feed"), 1)
        # One pool of async reads, one of the worker threads: as many as without streams.
        others = _database_sessions(shop, "lavka reads")
        may_leave.set()

    assert (quiet, busy) == (0, 1)
    assert others <= 4
    assert await _until(lambda: _database_sessions(shop, "lavka feed"), 0) == 0


def _database_sessions(shop: Shop, name: str) -> int:
    ((count,),) = shop.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = %s",
        name,
        shop.database,
    )
    return int(str(count))


async def _until(count: Callable[[], int], wanted: int) -> int:
    deadline = time.monotonic() + 10
    while (found := await asyncio.to_thread(count)) != wanted and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return found


@pytest.mark.django_db(transaction=True)
async def test_a_stream_that_is_behind_reads_pages_until_it_meets_the_tail(
    monkeypatch: pytest.MonkeyPatch, worker_threads: None, read_pool: None
):
    monkeypatch.setattr("lavka.feed.hub.TAIL", 5)
    monkeypatch.setattr("lavka.feed.hub.BATCH", 3)
    await asyncio.to_thread(_publish, 10)
    heard = []

    # Left open, it would go on to read when the pool is closed.
    async with aclosing(hub().stream(after=0, name="", is_allowed=always)) as told:
        async for event in told:
            assert event is not None
            heard.append(event.position)
            if len(heard) in {10, 15}:
                await asyncio.to_thread(_publish, 5)
            if len(heard) == 20:
                break

    assert heard == list(range(1, 21))


@pytest.mark.django_db(transaction=True)
async def test_a_quiet_stream_beats_and_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, worker_threads: None, read_pool: None
):
    monkeypatch.setattr("lavka.feed.hub.HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr("lavka.feed.hub.STREAM_SECONDS", 0.5)

    heard = [event async for event in hub().stream(after=0, name="", is_allowed=always)]

    assert 3 <= len(heard) <= 6
    assert set(heard) == {None}
    assert hub().listeners == 0


def _publish(number: int) -> None:
    try:
        events.publish_all(BrandChanged(brand_id=uuid.uuid4()) for _ in range(number))
        log.record_waiting()
        assert RecordedEvent.objects.exists()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_process_has_room_for_so_many_listeners(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lavka.feed.hub.MAX_LISTENERS", 0)

    response = api.get("/manage/events/stream/", token=token_of(make_staff()))

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")

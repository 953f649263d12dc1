import asyncio
import logging
from uuid import UUID

import psycopg
import pytest
from asgiref.sync import async_to_sync

from lavka.kernel import database
from lavka.kernel.database import fetch_all, fetch_one, reading
from lavka.kernel.errors import Unavailable
from lavka.kernel.models import OutboxEvent

ONE_ID = UUID("019a0000-0000-7000-8000-000000000001")


@pytest.mark.usefixtures("read_pool")
async def test_rows_are_tuples_of_the_columns_types():
    rows = await fetch_all(
        "SELECT i, %s::uuid, 'лавка'::text, NULL FROM generate_series(1, 2) i", [ONE_ID]
    )

    assert rows == [(1, ONE_ID, "лавка", None), (2, ONE_ID, "лавка", None)]


@pytest.mark.usefixtures("read_pool")
async def test_json_comes_as_the_bytes_that_go_out_again():
    row = await fetch_one("""SELECT '{"b":1,"a":[2]}'::json, '{"b":1,"a":[2]}'::jsonb""")

    assert row == (b'{"b":1,"a":[2]}', b'{"a": [2], "b": 1}')


@pytest.mark.usefixtures("read_pool")
async def test_one_row_or_none():
    assert await fetch_one("SELECT 1 WHERE %(wanted)s", {"wanted": True}) == (1,)
    assert await fetch_one("SELECT 1 WHERE %(wanted)s", {"wanted": False}) is None


@pytest.mark.usefixtures("read_pool")
async def test_statements_are_prepared_at_first_use():
    async with reading() as reader:
        await reader.fetch_one("SELECT 'prepared', %s::int", [1])
        prepared = await reader.fetch_one(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
            ["SELECT 'prepared'%"],
        )

    assert prepared == (1,)


@pytest.mark.usefixtures("read_pool")
async def test_several_statements_share_one_connection():
    async with reading() as reader:
        first = await reader.fetch_one("SELECT pg_backend_pid()")
        second = await reader.fetch_one("SELECT pg_backend_pid()")

    assert first == second


@pytest.mark.usefixtures("read_pool")
async def test_a_reader_cannot_write():
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await fetch_all("CREATE TABLE not_by_a_reader ()")


@pytest.mark.usefixtures("read_pool")
async def test_connections_stay_bounded_and_are_all_returned(settings):
    settings.READ_POOL = settings.READ_POOL | {"max_size": 3}

    pids = await asyncio.gather(
        *(fetch_one("SELECT pg_backend_pid() FROM pg_sleep(0.01)") for _ in range(50))
    )

    assert 1 <= len(set(pids)) <= 3
    statistics = database.pool_statistics()
    assert statistics["pool_available"] == statistics["pool_size"] <= 3


@pytest.mark.usefixtures("read_pool")
async def test_an_exhausted_pool_refuses_instead_of_hanging(settings, caplog):
    settings.READ_POOL = settings.READ_POOL | {"max_size": 1, "timeout": 0.05}

    async with reading():
        with pytest.raises(Unavailable) as refusal:
            await fetch_one("SELECT 1")

    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 2)
    assert "no connection to read with" in caplog.text
    assert await fetch_one("SELECT 1") == (1,)


@pytest.mark.usefixtures("read_pool")
async def test_a_read_survives_that_its_connections_were_cut(settings):
    settings.READ_POOL = settings.READ_POOL | {"min_size": 3}
    await asyncio.gather(*(fetch_one("SELECT 1 FROM pg_sleep(0.05)") for _ in range(3)))

    await _cut_readers()

    assert await fetch_one("SELECT 'again'") == ("again",)


@pytest.mark.usefixtures("read_pool")
async def test_a_held_connection_that_is_cut_is_unavailable_and_replaced(caplog):
    async def read_around_a_cut() -> None:
        async with reading() as reader:
            await reader.fetch_one("SELECT 1")
            await _cut_readers()
            await reader.fetch_one("SELECT 1")

    with pytest.raises(Unavailable):
        await read_around_a_cut()

    assert "the database does not answer" in caplog.text
    assert await fetch_one("SELECT 1") == (1,)


async def _another_connection() -> psycopg.AsyncConnection:
    parameters = database.connection_parameters() | {"application_name": "observer"}
    return await psycopg.AsyncConnection.connect(**parameters)


async def _cut_readers() -> None:
    """End the pool's sessions, as a restart would."""
    async with await _another_connection() as observer:
        await observer.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s",
            [database.APPLICATION_NAME],
        )


async def _is_running(observer: psycopg.AsyncConnection, query: str) -> bool:
    cursor = await observer.execute(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = %s", [query]
    )
    return await cursor.fetchone() is not None


@pytest.mark.usefixtures("read_pool")
async def test_a_cancelled_read_gives_a_usable_connection_back(settings):
    settings.READ_POOL = settings.READ_POOL | {"max_size": 1}
    slow = asyncio.create_task(fetch_one("SELECT pg_sleep(60)"))
    async with await _another_connection() as observer:
        while not await _is_running(observer, "SELECT pg_sleep(60)"):
            assert not slow.done()

    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow

    assert await fetch_one("SELECT 1") == (1,)


@pytest.mark.usefixtures("read_pool")
async def test_lending_a_connection_leaves_no_line_in_the_log(caplog):
    with caplog.at_level(logging.INFO):
        await fetch_one("SELECT 1")

    assert "connection" not in caplog.text


def test_each_event_loop_has_a_pool_of_its_own(transactional_db, monkeypatch):
    monkeypatch.undo()  # the real pool, not what tests are lent

    async def pid() -> object:
        try:
            return await fetch_one("SELECT pg_backend_pid()")
        finally:
            await database.close()

    assert asyncio.run(pid()) != asyncio.run(pid())
    assert len(database._pools) == 0


@pytest.mark.django_db
def test_a_test_reads_its_own_rows_and_counts_the_query(django_assert_num_queries):
    OutboxEvent.objects.create(name="probe", aggregate=ONE_ID, payload={"a": 1})

    with django_assert_num_queries(1):
        row = async_to_sync(fetch_one)("SELECT aggregate, payload FROM kernel_outboxevent")

    assert row == (ONE_ID, b'{"a": 1}')


@pytest.mark.django_db(transaction=True)
def test_a_test_reads_committed_rows():
    OutboxEvent.objects.create(name="probe", aggregate=ONE_ID, payload={"a": 1})

    row = async_to_sync(fetch_one)("SELECT aggregate, payload FROM kernel_outboxevent")

    assert row == (ONE_ID, b'{"a": 1}')

import asyncio
from uuid import UUID

import psycopg
import pytest
from asgiref.sync import async_to_sync

from lavka.kernel import database, pipeline
from lavka.kernel.database import fetch_all, fetch_one
from lavka.kernel.errors import Unavailable
from lavka.kernel.models import OutboxEvent

ONE_ID = UUID("019a0000-0000-7000-8000-000000000001")


@pytest.fixture
def one_connection(read_pool, settings):
    settings.READ_CONNECTIONS = 1


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
async def test_places_are_filled_by_name_and_a_doubled_percent_is_one():
    row = await fetch_one(
        "SELECT %(a)s::int, %(b)s::text, %(a)s::int, 7 %% 4, 'x' LIKE '%%'", {"b": "%s", "a": 1}
    )

    assert row == (1, "%s", 1, 3, True)


@pytest.mark.usefixtures("one_connection")
async def test_statements_are_prepared_at_first_use_and_the_oldest_make_place(monkeypatch):
    monkeypatch.setattr(pipeline, "MAX_PREPARED", 3)

    for number in (1, 2, 3, 1, 4):
        assert await fetch_one(f"SELECT 'prepared', {number}, %s::int", [5]) == (
            "prepared",
            number,
            5,
        )
    prepared = await fetch_all(
        "SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s ORDER BY 1",
        ["SELECT 'prepared'%"],
    )

    assert prepared == [(f"SELECT 'prepared', {number}, $1::int",) for number in (1, 4)]


@pytest.mark.usefixtures("one_connection")
async def test_short_statements_that_wait_travel_together_and_long_ones_alone():
    """What travels together is one transaction, and so has one time."""
    began = "SELECT transaction_timestamp()"
    await fetch_one("SELECT 1")

    together = await asyncio.gather(*(fetch_one(began, is_short=True) for _ in range(20)))
    alone = await asyncio.gather(*(fetch_one(began) for _ in range(20)))

    assert len(set(together)) == -(-20 // database.MOST_TOGETHER)
    assert len(set(alone)) == 20


@pytest.mark.usefixtures("one_connection")
async def test_one_that_fails_fails_alone():
    division = "SELECT 1 / %s::int"
    await fetch_one("SELECT 1")

    outcomes = await asyncio.gather(
        fetch_one(division, [1], is_short=True),
        fetch_one(division, [0], is_short=True),
        fetch_one(division, ["\0"], is_short=True),
        fetch_one("SELECT nothing_of_that_name", is_short=True),
        fetch_one("SELECT 2", is_short=True),
        fetch_one("SELECT 2", is_short=True),
        return_exceptions=True,
    )

    kinds = [each if isinstance(each, tuple) else type(each) for each in outcomes]
    assert kinds == [
        (1,),
        psycopg.errors.DivisionByZero,
        psycopg.DataError,
        psycopg.errors.UndefinedColumn,
        (2,),
        (2,),
    ]


@pytest.mark.usefixtures("one_connection")
async def test_more_than_a_socket_holds_goes_both_ways():
    text = "лавка" * 400_000

    rows = await asyncio.gather(
        *(fetch_one("SELECT %s::text", [text + str(number)], is_short=True) for number in range(6))
    )

    assert rows == [(text + str(number),) for number in range(6)]


@pytest.mark.usefixtures("read_pool")
async def test_a_reader_cannot_write():
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await fetch_all("CREATE TABLE not_by_a_reader ()")


@pytest.mark.usefixtures("read_pool")
async def test_connections_stay_bounded_and_are_all_returned(settings):
    settings.READ_CONNECTIONS = 3

    pids = await asyncio.gather(
        *(fetch_one("SELECT pg_backend_pid() FROM pg_sleep(0.01)") for _ in range(50))
    )

    assert 1 <= len(set(pids)) <= 3
    statistics = database.pool_statistics()
    assert statistics["pool_available"] == statistics["pool_size"] <= 3


@pytest.mark.usefixtures("one_connection")
async def test_an_exhausted_pool_refuses_instead_of_hanging(settings, caplog):
    # Longer than a connection takes to open, shorter than it is busy then.
    settings.READ_WAIT_SECONDS = 1
    await fetch_one("SELECT 1")
    # The query itself is what keeps the only connection busy.
    busy = asyncio.create_task(fetch_one("SELECT 'busy' FROM pg_sleep(2)"))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refusal:
        await fetch_one("SELECT 1")

    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 2)
    assert "no connection to read with" in caplog.text
    assert database.pool_statistics()["requests_errors"] == 1
    assert await busy == ("busy",)
    assert await fetch_one("SELECT 1") == (1,)


@pytest.mark.usefixtures("read_pool")
async def test_a_read_survives_that_its_connections_were_cut():
    await asyncio.gather(*(fetch_one("SELECT 1 FROM pg_sleep(0.05)") for _ in range(3)))

    await _cut_readers()

    assert await fetch_one("SELECT 'again'") == ("again",)


@pytest.mark.usefixtures("one_connection")
async def test_what_was_on_its_way_over_a_cut_connection_is_asked_again():
    asked = [
        asyncio.create_task(fetch_one("SELECT %s::int FROM pg_sleep(0.2)", [each], is_short=True))
        for each in range(3)
    ]
    async with await _another_connection() as observer:
        while not await _is_running(observer, "SELECT $1::int FROM pg_sleep(0.2)"):
            assert not asked[0].done()

    await _cut_readers()

    assert await asyncio.gather(*asked) == [(0,), (1,), (2,)]


@pytest.mark.usefixtures("one_connection")
async def test_statements_that_could_not_even_be_sent_are_asked_again():
    await fetch_one("SELECT 1")
    [broken] = database._source()._pipelines
    broken._pgconn.finish()

    asked = (fetch_one("SELECT %s::int", [each], is_short=True) for each in range(3))

    assert await asyncio.gather(*asked) == [(0,), (1,), (2,)]


@pytest.mark.usefixtures("one_connection")
async def test_what_cannot_be_put_in_or_read_fails_alone():
    await fetch_one("SELECT 1")

    outcomes = await asyncio.gather(
        fetch_one("SELECT %(a)s::int", {"b": 1}, is_short=True),
        fetch_one("SELECT '10000-01-01'::date", is_short=True),
        fetch_one("SELECT 1", is_short=True),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes[:2]] == [KeyError, psycopg.DataError]
    assert outcomes[2] == (1,)
    assert await fetch_one("SELECT 2") == (2,)


@pytest.mark.usefixtures("one_connection")
async def test_a_connection_that_is_always_cut_is_unavailable_and_replaced(caplog):
    with pytest.raises(Unavailable):
        await fetch_one("SELECT pg_terminate_backend(pg_backend_pid())")

    assert "the database does not answer" in caplog.text
    assert await fetch_one("SELECT 1") == (1,)


@pytest.mark.usefixtures("one_connection")
async def test_a_connection_that_has_lived_long_is_replaced(monkeypatch):
    first = await fetch_one("SELECT pg_backend_pid()")
    monkeypatch.setattr(database, "LIFE_SECONDS", 0.0)

    assert await fetch_one("SELECT pg_backend_pid()") == first
    monkeypatch.undo()

    assert await fetch_one("SELECT pg_backend_pid()") != first


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


@pytest.mark.usefixtures("one_connection")
async def test_a_cancelled_read_gives_a_usable_connection_back():
    slow = asyncio.create_task(fetch_one("SELECT pg_sleep(60)"))
    async with await _another_connection() as observer:
        while not await _is_running(observer, "SELECT pg_sleep(60)"):
            assert not slow.done()

    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow

    assert await fetch_one("SELECT 1") == (1,)


@pytest.mark.usefixtures("one_connection")
async def test_a_cancelled_read_leaves_those_that_travel_with_it():
    async def ask(number: int) -> object:
        return await fetch_one("SELECT %s::int FROM pg_sleep(0.1)", [number], is_short=True)

    await fetch_one("SELECT 1")
    asked = [asyncio.create_task(ask(number)) for number in range(3)]
    async with await _another_connection() as observer:
        while not await _is_running(observer, "SELECT $1::int FROM pg_sleep(0.1)"):
            assert not asked[0].done()

    asked[1].cancel()

    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [(0,), (2,)]
    assert isinstance(outcomes[1], asyncio.CancelledError)


@pytest.mark.usefixtures("read_pool")
async def test_a_closed_pool_opens_nothing_any_more():
    pool = database.Pool(1, 5)
    reading = asyncio.create_task(pool.fetch("SELECT 1", (), is_short=True))
    # One turn of the loop: it has asked, and nobody has looked for a connection yet.
    await asyncio.sleep(0)
    reading.cancel()

    await pool.close()
    # In the first turn the pool would look, in the second it would be opening.
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(pipeline.Cut):
        await pool.fetch("SELECT 1", (), is_short=True)


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

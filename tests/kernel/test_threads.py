import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.utils import translation
from django.utils.translation import gettext

from lavka.kernel import threads
from lavka.kernel.errors import Conflict, Unavailable
from lavka.kernel.threads import in_thread, run_flow

word: ContextVar[str] = ContextVar("word")
pytestmark = pytest.mark.usefixtures("worker_threads")


@pytest.fixture
def two_threads(settings) -> None:
    settings.WORKER_THREADS, settings.WORKER_WAIT_SECONDS = 2, 0.05


class Gate:
    """Holds the threads that pass it until it is opened."""

    def __init__(self) -> None:
        self.open, self.running = threading.Event(), threading.Semaphore(0)

    def hold(self) -> str:
        self.running.release()
        assert self.open.wait(20)
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


async def test_the_call_gets_its_arguments_and_gives_its_result_or_its_refusal():
    def divide(a: int, *, by: int) -> float:
        if by == 0:
            raise Conflict(number=a)
        return a / by

    assert await in_thread(divide, 6, by=3) == 2
    with pytest.raises(Conflict) as refusal:
        await in_thread(divide, 6, by=0)
    assert refusal.value.details == {"number": 6}


async def test_the_thread_speaks_the_requests_language_and_forgets_it(two_threads):
    async def asked_in(language: str) -> tuple[str | None, str]:
        with translation.override(language):
            return await in_thread(lambda: (translation.get_language(), gettext("Tax")))

    asked = [await asked_in(language) for language in ("ru", "en", "ru", "en")]

    assert asked == [("ru", "Налог"), ("en", "Tax")] * 2


async def test_the_thread_sees_the_requests_context_and_cannot_change_it():
    word.set("asked")

    def change() -> str:
        seen = word.get()
        word.set("changed")
        return seen

    assert await in_thread(change) == "asked"
    assert word.get() == "asked"


async def test_connections_go_back_to_the_pool_with_the_result():
    def count() -> tuple[int, bool]:
        return get_user_model().objects.count(), connection.connection is not None

    def leftover() -> list[object]:
        return [each.connection for each in connections.all(initialized_only=True)]

    assert await in_thread(count) == (0, True)
    assert set(await in_thread(leftover)) <= {None}


async def test_calls_at_once_use_no_more_threads_than_there_are(settings):
    settings.WORKER_THREADS = 3
    barrier = threading.Barrier(3)

    def name() -> str:
        barrier.wait(20)
        return threading.current_thread().name

    names = await asyncio.gather(*(in_thread(name) for _ in range(30)))

    assert len(set(names)) == 3


@pytest.mark.usefixtures("two_threads")
async def test_when_all_threads_are_busy_the_next_is_refused_in_time_and_nothing_ran(gate, caplog):
    ran: list[str] = []
    held = [asyncio.create_task(in_thread(gate.hold)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refusal:
        await in_thread(ran.append, "never")

    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 2)
    assert "all 2 worker threads are busy" in caplog.text
    gate.open.set()
    assert await asyncio.gather(*held) == ["done", "done"]
    await in_thread(ran.append, "again")
    assert ran == ["again"]


@pytest.mark.usefixtures("two_threads")
async def test_a_request_that_is_cancelled_keeps_its_thread_until_the_call_ends(gate):
    ended: list[str] = []
    tasks = [asyncio.create_task(in_thread(lambda: ended.append(gate.hold()))) for _ in range(2)]
    await asyncio.to_thread(gate.running.acquire)
    await asyncio.to_thread(gate.running.acquire)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(Unavailable):
        await in_thread(int)

    gate.open.set()
    threads.drain()
    assert ended == ["done", "done"]


@pytest.mark.usefixtures("two_threads")
async def test_a_request_that_is_cancelled_while_it_waits_never_runs(gate, settings):
    settings.WORKER_WAIT_SECONDS = 20
    ran: list[str] = []
    held = [asyncio.create_task(in_thread(gate.hold)) for _ in range(2)]
    waiting = asyncio.create_task(in_thread(ran.append, "never"))
    await asyncio.sleep(0)
    assert threads.statistics() == {"size": 2, "waiting": 1}

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.open.set()
    await asyncio.gather(*held)

    assert ran == []
    assert threads.statistics() == {"size": 2, "waiting": 0}


def test_a_flow_that_sync_code_runs_stays_in_its_thread_and_on_its_connection():
    async def flow() -> tuple[int, object]:
        await asyncio.sleep(0)
        return await in_thread(threading.get_ident), await in_thread(lambda: connection.connection)

    connection.ensure_connection()

    assert run_flow(flow()) == (threading.get_ident(), connection.connection)


async def test_what_sync_code_ran_leaves_the_next_request_its_own_threads():
    async def flow() -> None: ...

    await in_thread(run_flow, flow())

    assert await in_thread(threading.get_ident) != threading.get_ident()

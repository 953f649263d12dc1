"""The way from the event loop into a worker thread: for writes, and for whatever else uses the ORM.

One bounded pool per process and event loop: as many threads as Django may have connections, so a
thread that runs never waits for one. asgiref's `sync_to_async` would give each request a thread of
its own, and with it any number of connections.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.utils.translation import activate, get_language

from lavka.kernel.errors import Unavailable

logger = logging.getLogger(__name__)

_is_here: ContextVar[bool] = ContextVar("is_here", default=False)
_has_caller: ContextVar[bool] = ContextVar("has_caller", default=False)


async def in_thread[**P, T](call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run sync code that uses the database in a worker thread: one hop a call.

    It sees the request's context variables and its language, and its connection goes back to
    Django's pool with its result. Once it runs it runs to its end, also when the client is gone by
    then.
    Raises: Unavailable, when no thread came free in time; then nothing has run.
    """
    if _is_here.get():
        return call(*args, **kwargs)
    if _has_caller.get():
        return await sync_to_async(call)(*args, **kwargs)
    return await _threads().run(partial(call, *args, **kwargs))


def run_here[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in this thread, with all that it gives to `in_thread`.

    Raises: RuntimeError, when it waits for anything else.
    """
    token = _is_here.set(True)
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        _is_here.reset(token)
    work.close()
    raise RuntimeError("a handler that waits for other systems says so: `calls_out=True`")


def run_flow[T](flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow to its end from sync code: a task, a command, the admin.

    What it gives to `in_thread` runs in the calling thread, over the connection that is there.
    """

    async def run() -> T:
        # Undone at the end, for asgiref hands context variables back to the caller.
        token = _has_caller.set(True)
        try:
            return await flow
        finally:
            _has_caller.reset(token)

    return async_to_sync(run)()


class Threads:
    """The worker threads of one event loop; `size` of them, started when they are needed."""

    def __init__(self, size: int, wait_seconds: float) -> None:
        """Start no thread yet."""
        self.size, self.wait_seconds = size, wait_seconds
        self.waiting = 0
        self._free = asyncio.Semaphore(size)
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="lavka-worker")

    async def run[T](self, call: Callable[[], T]) -> T:
        """Run `call` in a free thread; raises Unavailable after `wait_seconds` without one."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        loop = asyncio.get_running_loop()
        # The copy goes with the call, so the thread's next caller sees nothing of it.
        work = self._executor.submit(copy_context().run, _run, call, get_language())
        # Not when the request ends: a cancelled one leaves its thread busy.
        work.add_done_callback(partial(self._release, loop))
        return await asyncio.wrap_future(work)

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self.wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            logger.error("all %d worker threads are busy", self.size)  # noqa: TRY400 - no bug
            raise Unavailable from None
        finally:
            self.waiting -= 1

    def _release(self, loop: asyncio.AbstractEventLoop, work: Future[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._free.release)

    def statistics(self) -> dict[str, int]:
        """How many threads may run, and how many requests wait for one."""
        return {"size": self.size, "waiting": self.waiting}

    def drain(self) -> None:
        """Let what runs come to its end."""
        self._executor.shutdown(wait=True)


def _run[T](call: Callable[[], T], language: str | None) -> T:
    """Run `call` in the caller's language, and give the thread's connection back.

    Django keeps the language in a local of asgiref, which is bound to the thread that has set it.
    """
    if language is not None:
        activate(language)
    try:
        return call()
    finally:
        close_old_connections()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Threads] = WeakKeyDictionary()


def _threads() -> Threads:
    loop = asyncio.get_running_loop()
    threads = _pools.get(loop)
    if threads is None:
        threads = _pools[loop] = Threads(settings.WORKER_THREADS, settings.WORKER_WAIT_SECONDS)
    return threads


def statistics() -> dict[str, int]:
    """The running loop's threads; nothing before the first one was needed."""
    threads = _pools.get(asyncio.get_running_loop())
    return {} if threads is None else threads.statistics()


def drain() -> None:
    """When the process stops serving: finish the writes whose clients are gone, too."""
    threads = _pools.pop(asyncio.get_running_loop(), None)
    if threads is not None:
        threads.drain()

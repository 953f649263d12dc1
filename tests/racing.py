"""Races: the same call from many threads at once, each with a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def race(call: Callable[[], Any], *, times: int) -> list[Any]:
    """Start `times` threads at one barrier; returns each one's result or exception type."""
    barrier = threading.Barrier(times)

    def run() -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return call()
        except Exception as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(times)]]


def race_each(*calls: Callable[[], Any]) -> list[Any]:
    """The same for calls that differ; the results come in no order."""
    left = list(calls)

    def call_next() -> Any:
        return left.pop()()

    return race(call_next, times=len(calls))

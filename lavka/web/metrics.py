"""What Prometheus asks at `/metrics`: requests by route, the pools, hot answers, the outbox.

Under Gunicorn each worker writes into files of its own, which whoever is asked adds up
(`PROMETHEUS_MULTIPROC_DIR`, set in deploy/gunicorn.conf.py). nginx shows the page to nobody.
"""

import asyncio
import math
import os
from functools import cache
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from lavka.kernel import database, log, threads
from lavka.kernel.errors import Unavailable

# Asked once a process: for each number that is counted the library would ask the kernel.
_own_id = cache(os.getpid)
os.register_at_fork(after_in_child=_own_id.cache_clear)
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call] # has no types
        _own_id
    )

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
SAMPLE_SECONDS, PATIENCE_SECONDS = 5.0, 1.0

REQUESTS = Histogram(
    "lavka_request_seconds",
    "Requests and how long they took, by route, method and status.",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
HOT_ANSWERS = Counter(
    "lavka_hot_answers", "Public reads, by whether their answer was at hand.", ["outcome"]
)
POOLS = Gauge(
    "lavka_pool",
    "Connections and threads of each pool, and requests that wait for one.",
    ["pool", "what"],
    multiprocess_mode="livesum",
)
OUTBOX_WAITING = Gauge(
    "lavka_outbox_waiting",
    "Events that no broker has confirmed yet.",
    multiprocess_mode="mostrecent",
)
DEAD_LETTERS = Gauge(
    "lavka_dead_letters",
    "Messages that no worker could deal with; NaN while the database is away.",
    multiprocess_mode="mostrecent",
)
OUTBOX_LAG = Gauge(
    "lavka_outbox_lag_seconds",
    "The age of the oldest event that waits; NaN while the database is away.",
    multiprocess_mode="mostrecent",
)

_timers: dict[tuple[str, str, int], Any] = {}


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request; routes are few, and a client cannot add to them."""
    match = request.resolver_match
    method = request.method if request.method in METHODS else "other"
    key = (match.route if match else "", str(method), status)
    timer = _timers.get(key)
    if timer is None:
        timer = _timers[key] = REQUESTS.labels(*key)
    timer.observe(seconds)


async def page(request: HttpRequest) -> HttpResponse:
    """Everything in Prometheus's text format, of all workers together."""
    sample_pools()
    await _sample_outbox()
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        Workers(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Workers(MultiProcessCollector):
    """Adds up the files of all workers, but those that a worker has only just opened."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Collect for the registry."""
        super().__init__(registry)  # type: ignore[no-untyped-call] # has no types

    def collect(self) -> Any:
        """The metrics; the library would fail at a file that is empty yet."""
        files = [str(each) for each in Path(self._path).glob("*.db") if _has_begun(each)]
        return self.merge(files, accumulate=True)  # type: ignore[no-untyped-call] # has no types


def _has_begun(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # its worker has ended
        return False


async def keep_sampling() -> None:
    """Note how full this process's pools are, for the life of the process."""
    while True:
        sample_pools()
        await asyncio.sleep(SAMPLE_SECONDS)


def sample_pools() -> None:
    """Note how full this process's pools are now."""
    read = database.pool_statistics()
    django: Any = connections[DEFAULT_DB_ALIAS]
    write = django.pool.get_stats() if django.pool else {}
    for pool, statistics in (("read", read), ("write", write)):
        for what in ("pool_size", "pool_available", "requests_waiting", "requests_errors"):
            POOLS.labels(pool, what).set(statistics.get(what, 0))
    for what, number in threads.statistics().items():
        POOLS.labels("threads", what).set(number)


async def _sample_outbox() -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            lag = await log.lag()
    except (Unavailable, TimeoutError):
        lag = log.Lag(math.nan, math.nan, math.nan)
    OUTBOX_WAITING.set(lag.events)
    OUTBOX_LAG.set(lag.seconds)
    DEAD_LETTERS.set(lag.dead_letters)

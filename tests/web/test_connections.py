"""However many ask at once, PostgreSQL is asked by few."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from tests.e2e.shop import Shop

WORKERS, THREADS, READERS = 2, 2, 2
CLIENTS, REQUESTS = 50, 600
# Reads on the event loop, reads in threads, and a write.
PATHS = ["/metrics", "/readyz", "/api/v1/products/", "/api/v1/auth/token/refresh/"]


def test_connections_stay_bounded_and_nobody_is_refused(tmp_path: Path):
    settings = {"LAVKA_DB_POOL": str(THREADS), "LAVKA_READ_POOL": str(READERS)}
    with Shop(tmp_path, workers=0, web_workers=WORKERS, settings=settings) as shop:
        statuses, most = asyncio.run(crowd(shop))

    assert set(statuses) == {200, 401}
    assert statuses.total() == REQUESTS
    # The pools, and what listens for hot answers; the test's own connection is not counted.
    assert WORKERS <= most <= WORKERS * (THREADS + READERS + 1)


async def crowd(shop: Shop) -> tuple[Counter[int], int]:
    """What the clients were told, and the most connections that stood at once."""
    statuses: Counter[int] = Counter()
    most = 0
    waiting = [PATHS[number % len(PATHS)] for number in range(REQUESTS)]

    async def come_and_go(client: httpx.AsyncClient) -> None:
        while waiting:
            path = waiting.pop()
            if path.endswith("/refresh/"):
                answer = await client.post(path, json={"refresh": "nobody's"})
            else:
                answer = await client.get(path)
            statuses[answer.status_code] += 1

    async with httpx.AsyncClient(
        base_url=shop.base_url, timeout=60, limits=httpx.Limits(max_connections=CLIENTS)
    ) as client:
        clients = [asyncio.create_task(come_and_go(client)) for _ in range(CLIENTS)]
        # One for all counts: the server takes its time to end those that a client has closed.
        with shop.connect(shop.database) as watcher:
            while not all(each.done() for each in clients):
                most = max(most, await asyncio.to_thread(connections_beside, watcher))
        await asyncio.gather(*clients)
    return statuses, most


def connections_beside(watcher: psycopg.Connection[tuple[object, ...]]) -> int:
    [(count,)] = watcher.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'"
        " AND pid <> pg_backend_pid()"
    )
    return int(str(count))

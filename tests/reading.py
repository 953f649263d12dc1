"""What stands in for pools in tests: each test's own view of the database.

A test inside a transaction (`django_db`) is alone in seeing its rows, so reads go over its
connection. With `django_db(transaction=True)` rows are committed, and each read opens a connection
as the pool would. Tests of the pool itself ask for the fixture `read_pool`.
"""

from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from psycopg.rows import tuple_row

from lavka.kernel.database import Pool
from lavka.kernel.pipeline import keep_json_as_bytes


class Lent:
    """Reads over Django's connection of the test.

    Statements are noted in Django's query log, so that query counts see them.
    """

    def __init__(self) -> None:
        self.django = connections["default"]

    async def fetch(self, query: str, parameters: Any, *, is_short: bool) -> list[Any]:
        cursor = psycopg.Cursor(self.django.connection, row_factory=tuple_row)
        keep_json_as_bytes(cursor)
        cursor.execute(query, parameters, binary=True)
        self.django.queries_log.append({"sql": query, "time": "0"})
        return cursor.fetchall()


class Connecting:
    """Reads over a pool of its own each time: an event loop of a test may end at any call."""

    async def fetch(self, query: str, parameters: Any, *, is_short: bool) -> list[Any]:
        pool = Pool(1, settings.READ_WAIT_SECONDS)
        try:
            return await pool.fetch(query, parameters, is_short=is_short)
        finally:
            await pool.close()


class LentThread:
    """Runs a worker thread's work in the thread of the test, where its connection is."""

    async def run(self, call: Any) -> Any:
        return await sync_to_async(call)()

"""What stands in for pools in tests: each test's own view of the database.

A test inside a transaction (`django_db`) is alone in seeing its rows, so reads go over its
connection. With `django_db(transaction=True)` rows are committed, and each read opens a connection
as the pool would. Tests of the pool itself ask for the fixture `read_pool`.
"""

from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.rows import tuple_row

from lavka.kernel import database


class Lent:
    """Django's connection of the test, with the interface of an async one.

    Statements are noted in Django's query log, so that query counts see them.
    """

    broken = False

    def __init__(self, django: BaseDatabaseWrapper) -> None:
        self.django = django

    async def execute(
        self, query: str, params: Any = None, *, binary: bool = False
    ) -> "LentCursor":
        cursor = psycopg.Cursor(self.django.connection, row_factory=tuple_row)
        database.keep_json_as_bytes(cursor)
        cursor.execute(query, params, binary=binary)
        self.django.queries_log.append({"sql": query, "time": "0"})
        return LentCursor(cursor)


class LentCursor:
    """A cursor whose rows are there."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    async def fetchall(self) -> list[Any]:
        return self.cursor.fetchall()

    async def fetchone(self) -> Any:
        return self.cursor.fetchone()


class LentPool:
    """Lends the test's connection to every reader."""

    def __init__(self) -> None:
        self.django = connections["default"]

    async def getconn(self) -> Lent:
        return Lent(self.django)

    async def putconn(self, connection: Lent) -> None:
        """The test keeps it."""

    async def check(self) -> None:
        """The test's connection is what it is."""


class Connecting:
    """Opens a real connection for each reader: an event loop of a test may end at any call."""

    async def getconn(self) -> Any:
        connection = await psycopg.AsyncConnection.connect(**database.connection_parameters())
        database.keep_json_as_bytes(connection)
        return connection

    async def putconn(self, connection: Any) -> None:
        await connection.close()

    async def check(self) -> None:
        """None is kept."""


class LentThread:
    """Runs a worker thread's work in the thread of the test, where its connection is."""

    async def run(self, call: Any) -> Any:
        return await sync_to_async(call)()

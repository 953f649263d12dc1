"""What a process sends to PostgreSQL, written down statement by statement with what came back."""

import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One statement with its parameters and rows; `is_alone` when no transaction was open."""

    query: str
    parameters: Sequence[Any]
    rows: Sequence[tuple[Any, ...]]
    rowcount: int
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A transaction was committed, or rolled back."""

    is_committed: bool


type Entry = Sent | Ended


def write_down(file: Path) -> None:
    """Append everything that this process sends through psycopg's sync connections to `file`.

    Only a benchmark does this, in a process of its own: every result is read twice.
    """
    lock = threading.Lock()
    cursor: Any = psycopg.Cursor
    connection: Any = psycopg.Connection
    execute, commit, rollback = cursor.execute, connection.commit, connection.rollback

    def note(entry: Entry) -> None:
        with lock, file.open("ab") as output:
            pickle.dump(entry, output)

    def noted_execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        is_alone = self.connection.autocommit
        execute(self, query, params, **options)
        if query:  # the pool asks nothing, to see whether its connection lives
            text = query if isinstance(query, str) else query.as_string(self)
            note(
                Sent(
                    query=text,
                    parameters=[_plain(each) for each in params or ()],
                    rows=_rows(self),
                    rowcount=self.rowcount,
                    is_alone=is_alone,
                )
            )
        return self

    def noted_end(end: Any, *, is_committed: bool) -> Any:
        def noted(self: Any) -> None:
            is_open = self.info.transaction_status != TransactionStatus.IDLE
            end(self)
            if is_open:
                note(Ended(is_committed))

        return noted

    cursor.execute = noted_execute
    connection.commit = noted_end(commit, is_committed=True)
    connection.rollback = noted_end(rollback, is_committed=False)


def read(file: Path) -> Iterator[Entry]:
    """What was written down, in its order."""
    with file.open("rb") as written:
        while written.peek(1):
            yield pickle.load(written)  # noqa: S301 - written by the benchmark's own process


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    """All rows, left where they are for whoever asked for them."""
    if cursor.description is None or not cursor.rowcount:
        return []
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    cursor.scroll(0, mode="absolute")
    return rows


def _plain(value: Any) -> Any:
    """The value without classes of the shop, so that whoever reads it needs none of them."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Jsonb):
        return Jsonb(value.obj)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value

"""The log's partitions: one a month, made ahead, dropped when they are old and relayed."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

LOG = "kernel_recordedevent"
REST = f"{LOG}_default"
MONTHS_AHEAD = 3
# A busy log is waited for this long; the next run tries again.
LOCK_TIMEOUT = "3s"
_NAME = re.compile(rf"{LOG}_(\d{{4}})_(\d{{2}})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of UTC, and the partition that holds it."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime.datetime) -> "Month":
        """The month in which `at` lies."""
        utc = at.astimezone(datetime.UTC)
        return cls(utc.year, utc.month)

    @property
    def partition(self) -> str:
        """Its table."""
        return f"{LOG}_{self.year}_{self.number:02}"

    @property
    def starts_at(self) -> datetime.datetime:
        """Its first instant."""
        return datetime.datetime(self.year, self.number, 1, tzinfo=datetime.UTC)

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def make_ahead(*, at: datetime.datetime) -> list[str]:
    """Make the partitions of this month and the next three; returns those that are new.

    Events of a month that has no partition lie in the default one, and move to theirs here.
    """
    month, made, present = Month.of(at), [], set(_months())
    for _ in range(MONTHS_AHEAD + 1):
        if month not in present:
            _make(month)
            made.append(month.partition)
        month = month.next
    return made


def purge(*, before: datetime.datetime) -> list[str]:
    """Drop partitions that ended by `before` and are relayed entirely; returns their names."""
    old = [month for month in sorted(_months()) if month.next.starts_at <= before]
    return [month.partition for month in old if _drop(month)]


@transaction.atomic
def _make(month: Month) -> None:
    # Made aside and attached: readers and writers of the other months are not kept waiting.
    names = {"log": sql.Identifier(LOG), "rest": sql.Identifier(REST)}
    statements = sql.SQL("""
        SET LOCAL lock_timeout = {timeout};
        LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE;
        CREATE TABLE {partition} (LIKE {log} INCLUDING ALL);
        WITH moved AS (
            DELETE FROM {rest} WHERE recorded_at >= {start} AND recorded_at < {end} RETURNING *
        )
        INSERT INTO {partition} SELECT * FROM moved;
        ALTER TABLE {log} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end});
    """).format(
        timeout=LOCK_TIMEOUT,
        partition=sql.Identifier(month.partition),
        start=month.starts_at.isoformat(),
        end=month.next.starts_at.isoformat(),
        **names,
    )
    with connection.cursor() as cursor:
        cursor.execute(statements)


@transaction.atomic
def _drop(month: Month) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT coalesce(max(position), 0) <= coalesce("
                "(SELECT position FROM kernel_bookmark WHERE reader = 'relayed'), 0) FROM {}"
            ).format(sql.Identifier(month.partition))
        )
        (is_relayed,) = cursor.fetchone()
        if is_relayed:
            cursor.execute(
                sql.SQL("SET LOCAL lock_timeout = {}; DROP TABLE {}").format(
                    LOCK_TIMEOUT, sql.Identifier(month.partition)
                )
            )
    return bool(is_relayed)


def _months() -> Iterator[Month]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [LOG]
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        if found := _NAME.fullmatch(name):
            yield Month(int(found[1]), int(found[2]))

"""Querysets read on the event loop, over the pool of reads.

Django's own async methods give each read to a thread. One statement a queryset: `select_related`
takes others' rows along, prefetches do not work here. Everything raises Unavailable as
`database.fetch_all` does.
"""

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, QuerySet

from lavka.kernel import database, rows


async def read_all[M: Model](found: QuerySet[M]) -> list[M]:
    """Every row."""
    try:
        statement = rows.statement_of(found.all())
    except EmptyResultSet:
        return []
    return statement.read(await database.fetch_all(statement.query, statement.parameters))


async def read_first[M: Model](found: QuerySet[M]) -> M | None:
    """The first row, None when there is none."""
    read = await read_all(found[:1])
    return read[0] if read else None


async def read_count(found: QuerySet[Model], *, most: int) -> int:
    """How many rows there are, counted up to `most`."""
    counted = found.order_by().values("pk")[:most]
    try:
        query, parameters = counted.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    except EmptyResultSet:
        return 0
    query = f"SELECT count(*) FROM ({query}) AS counted"  # noqa: S608 - Django's SQL, no value in it
    row = await database.fetch_one(query, parameters)
    return int(row[0]) if row else 0

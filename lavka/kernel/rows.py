"""Rows that purchases and reviews read and write: the models, by statements compiled once.

Django compiles a queryset anew whenever it is evaluated, and a model whenever it is saved, which
takes several times as long as sending the statement. What is written here sends no signals.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import signature
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Func, Model, QuerySet
from django.db.models.expressions import DatabaseDefault, Expression
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

from lavka.kernel import database

type Column = Any  # Field, without the guesses of its stubs


def fetch_all(query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Every row of one statement."""
    rows: list[tuple[Any, ...]] = _sent(query, parameters).fetchall()
    return rows


def fetch_one(query: str, parameters: Sequence[Any] = ()) -> Any:
    """The first row of one statement, None when there is none."""
    return _sent(query, parameters).fetchone()


def execute(query: str, parameters: Sequence[Any] = ()) -> int:
    """Send one statement; returns how many rows it changed."""
    return int(_sent(query, parameters).rowcount)


def _sent(query: str, parameters: Sequence[Any]) -> Any:
    """A cursor on the result: the driver's own, unless somebody listens to Django's."""
    django = _database()
    if django.queries_logged or django.execute_wrappers:
        cursor = django.cursor()
        cursor.execute(query, parameters or None)
        return cursor
    django.ensure_connection()
    django.validate_no_broken_transaction()
    with django.wrap_database_errors:
        return django.connection.execute(query, parameters or None)


def _database() -> Any:
    """This thread's; `django.db.connection` would look for it at each of its attributes."""
    return connections[DEFAULT_DB_ALIAS]


class Parameter(Expression):
    """Stands in a queryset for a value that is given when the statement is sent."""

    def __init__(self, name: str) -> None:
        """By the name of the function's parameter."""
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A placeholder, and itself as what is to be replaced."""
        return "%s", [self]


# PostgreSQL plans a statement at each call, instead of once, while it believes that this pays. With
# a short list it always believes so. In a subquery it cannot see how short a list is.
ANY_UUID = "ANY((SELECT %s::uuid[])::uuid[])"


def one_of(column: str, values: Any, *, kind: str = "uuid") -> Func:
    """A condition as `column__in`, for a parameter that is a list of a PostgreSQL type."""
    return Func(
        models.F(column),
        values,
        template=f"%(expressions)s::{kind}[])::{kind}[])",
        arg_joiner=" = ANY((SELECT ",
        output_field=models.BooleanField(),
    )


class Compiled[**P, M: Model]:
    """A function that makes a queryset of its parameters, called once; its SQL is kept.

    Values go to PostgreSQL as they are, so they have the type of their column. A condition that
    depends on a value in Python, as `None` for `IS NULL`, is decided once for all.
    """

    def __init__(self, make: Callable[P, QuerySet[M]]) -> None:
        """Decorate `make`."""
        self._make: Callable[..., QuerySet[M]] = make
        self._names = tuple(signature(make).parameters)

    def all(self, *args: P.args, **kwargs: P.kwargs) -> list[M]:
        """Every row. Raises: TransactionManagementError, for a lock that nothing would hold."""
        statement = self._statement
        if statement.is_locking and not _database().in_atomic_block:
            raise TransactionManagementError("a lock needs a transaction")
        return statement.read(fetch_all(statement.query, self._parameters(args, kwargs)))

    async def aget(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """As `get`, on the event loop; raises Unavailable as `database.fetch_all` does, too."""
        query, parameters = self._statement.query, self._parameters(args, kwargs)
        rows = self._statement.read(await database.fetch_all(query, parameters, is_short=True))
        if not rows:
            raise self._statement.model.DoesNotExist
        return rows[0]

    def _parameters(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """What is sent, in the order of the statement."""
        values = dict(zip(self._names, args, strict=False)) | kwargs
        return [
            values[each.name] if isinstance(each, Parameter) else each
            for each in self._statement.parameters
        ]

    def first(self, *args: P.args, **kwargs: P.kwargs) -> M | None:
        """The first row, None when there is none."""
        rows = self.all(*args, **kwargs)
        return rows[0] if rows else None

    def get(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """The row there is. Raises: the model's DoesNotExist."""
        rows = self.all(*args, **kwargs)
        if not rows:
            raise self._statement.model.DoesNotExist
        return rows[0]

    @cached_property
    def _statement(self) -> "Statement[M]":
        """Of a queryset of its own: compiling changes it, and threads may come here at once."""
        return statement_of(self._make(*map(Parameter, self._names)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement[M: Model]:
    """A compiled queryset: what is sent, and what makes models of the rows that come back."""

    query: str
    parameters: Sequence[Any]
    read: Callable[[Iterable[Any]], list[M]]
    model: Any
    is_locking: bool


def statement_of[M: Model](queryset: QuerySet[M]) -> Statement[M]:
    """Compile a queryset, which is not to be used any more.

    Raises: EmptyResultSet, when no row can fit.
    """
    compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
    query, parameters = compiler.as_sql()
    return Statement(
        query=query,
        parameters=parameters,
        read=_reader(queryset, compiler),
        model=queryset.model,
        is_locking=bool(queryset.query.select_for_update),
    )


def _reader[M: Model](queryset: QuerySet[M], compiler: Any) -> Callable[[Iterable[Any]], list[M]]:
    """What makes models of rows, as `ModelIterable` does."""
    fields = compiler.klass_info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [each[0].target.attname for each in compiler.select[start:end]]
    converters = compiler.get_converters([each[0] for each in compiler.select])
    # The stubs know no fetch modes yet.
    mode: Any = queryset._fetch_mode  # type: ignore[attr-defined]
    added = compiler.annotation_col_map or {}
    related = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS, mode)

    def read(rows: Iterable[Any]) -> list[M]:
        if converters:
            rows = map(tuple, compiler.apply_converters(rows, converters))
        made = []
        for row in rows:
            instance = queryset.model.from_db(
                DEFAULT_DB_ALIAS, names, row[start:end], fetch_mode=mode
            )
            for populator in related:
                populator.populate(row, instance)
            for name, position in added.items():
                setattr(instance, name, row[position])
            made.append(instance)
        return made

    return read


def insert[M: Model](instance: M) -> M:
    """Add a row, and read what the database fills in; returns the instance."""
    fields = _given_by(instance)
    query = _insertion(type(instance), fields)
    return _completed(instance, fetch_one(query, _values(instance, fields, is_new=True)))


def insert_once(instance: Model, unique: str) -> bool:
    """Add a row unless there is one with the same value in the column; says whether it did."""
    fields = _given_by(instance)
    query = _insertion(type(instance), fields, unique=unique)
    row = fetch_one(query, _values(instance, fields, is_new=True))
    if row is not None:
        _completed(instance, row)
    return row is not None


def insert_all(instances: Sequence[Model]) -> None:
    """Add rows of one model that give the same columns, by one statement."""
    if not instances:
        return
    model, fields = type(instances[0]), _given_by(instances[0])
    values = [_values(each, fields, is_new=True) for each in instances]
    query = _insertion(model, fields, is_many=True)
    found = fetch_all(query, [list(column) for column in zip(*values, strict=True)])
    for instance, row in zip(instances, found, strict=True):
        _completed(instance, row)


def update(instance: Model, *names: str) -> None:
    """Save the named fields of a row, and read what follows from them. Raises: NotUpdated."""
    fields, query, generated = _change(type(instance), names)
    row = fetch_one(query, [*_values(instance, fields, is_new=False), instance.pk])
    if row is None:
        raise type(instance).NotUpdated  # type: ignore[attr-defined]
    for field, value in zip(generated, row[1:], strict=True):
        setattr(instance, field.attname, value)


def attach(instance: Model, relation: str, related: list[Any]) -> None:
    """Have the rows of a relation at hand, as `prefetch_related` does."""
    manager = getattr(type(instance), relation).rel.related_model._base_manager
    loaded: Any = manager.all()
    loaded._result_cache = related
    instance.__dict__.setdefault("_prefetched_objects_cache", {})[relation] = loaded


@cache
def _columns(model: type[Model]) -> tuple[Column, ...]:
    return tuple(each for each in model._meta.local_concrete_fields if not each.generated)


def _given_by(instance: Model) -> tuple[Column, ...]:
    """The columns that are not left to the database."""
    return tuple(
        each
        for each in _columns(type(instance))
        if not isinstance(getattr(instance, each.attname), DatabaseDefault)
    )


@cache
def _returned(model: type[Model]) -> tuple[Column, ...]:
    """What an insertion reads back: the key at least."""
    return tuple(model._meta.db_returning_fields) or (model._meta.pk,)


@cache
def _insertion(
    model: type[Model], fields: tuple[Column, ...], *, unique: str = "", is_many: bool = False
) -> str:
    if is_many:
        types = (str(each.db_type(_database())).split("(")[0] for each in fields)
        arrays = ", ".join(f"%s::{each}[]" for each in types)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608
    else:
        source = f"VALUES ({', '.join(['%s'] * len(fields))})"
    table = _database().ops.quote_name(model._meta.db_table)
    conflict = f" ON CONFLICT ({unique}) DO NOTHING" if unique else ""
    query = f"INSERT INTO {table} ({_named(fields)}) {source}{conflict}"
    return f"{query} RETURNING {_named(_returned(model))}"


@cache
def _change(
    model: type[Model], names: tuple[str, ...]
) -> tuple[tuple[Column, ...], str, tuple[Column, ...]]:
    """The fields, the statement, and the generated columns that follow from them."""
    fields: Any = tuple(model._meta.get_field(each) for each in names)
    columns: Any = model._meta.local_concrete_fields
    generated = tuple(
        each for each in columns if each.generated and each.referenced_fields.intersection(fields)
    )
    key: Any = model._meta.pk
    quote = _database().ops.quote_name
    changes = ", ".join(f"{quote(each.column)} = %s" for each in fields)
    query = f"UPDATE {quote(model._meta.db_table)} SET {changes}"  # noqa: S608
    query += f" WHERE {quote(key.column)} = %s RETURNING {_named((key, *generated))}"
    return fields, query, generated


def _named(fields: Iterable[Column]) -> str:
    return ", ".join(_database().ops.quote_name(each.column) for each in fields)


def _values(instance: Model, fields: Iterable[Column], *, is_new: bool) -> list[Any]:
    django = _database()
    return [each.get_db_prep_save(each.pre_save(instance, is_new), django) for each in fields]


def _completed[M: Model](instance: M, row: Sequence[Any]) -> M:
    for field, value in zip(_returned(type(instance)), row, strict=True):
        setattr(instance, field.attname, value)
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
    return instance

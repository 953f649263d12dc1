"""A purchase as bare statements: those that Lavka sent once, with fresh parameters each time.

Ids that were minted for the recorded purchase are minted anew, ids and numbers that the database
gave are taken from the same place of what it gives now, and instants move with the clock. What is
sent is otherwise the same, in the same transactions.
"""

import datetime
import re
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from bench.tracing import Ended, Entry, Sent

# UUIDs, and random words of 32 letters and digits.
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9A-Za-z]{32}\b")
# Numbers above this are given by the database, or minted at random; no price is as high.
LEAST_NUMBER = 10**9

type Key = str | int
type Renew = Callable[["Purchase"], Any]


class Differs(Exception):
    """A statement had another effect than when it was recorded."""


@dataclass(slots=True)
class Purchase:
    """One run: what stands now for each value of the recording."""

    values: dict[Key, Key]
    later: datetime.timedelta


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `renewals` make the parameters that are not as they were."""

    query: str
    parameters: Sequence[Any]
    renewals: Sequence[tuple[int, Renew]]
    gives: Sequence[tuple[int, int, Key]]
    rowcount: int
    is_alone: bool

    def run(self, connection: psycopg.Connection[Any], purchase: Purchase) -> None:
        """Send it and read all it gives. Raises: Differs."""
        if connection.autocommit is not self.is_alone:
            connection.autocommit = self.is_alone
        parameters = list(self.parameters)
        for place, renew in self.renewals:
            parameters[place] = renew(purchase)
        cursor = connection.execute(self.query, parameters or None)
        if cursor.rowcount != self.rowcount:
            raise Differs(f"{cursor.rowcount} rows instead of {self.rowcount}: {self.query}")
        if cursor.description is not None:
            rows = cursor.fetchall()
            for row, column, recorded in self.gives:
                purchase.values[recorded] = _key(rows[row][column])


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All statements of one purchase of `goods` (variants), made at `recorded_at`."""

    steps: Sequence[Statement | Ended]
    goods: Sequence[str]
    minted: Sequence[Key]
    recorded_at: datetime.datetime

    def run(self, connection: psycopg.Connection[Any], goods: Iterable[uuid.UUID]) -> None:
        """Buy `goods`, as many variants as the recorded purchase has; raises Differs."""
        values: dict[Key, Key] = dict(zip(self.goods, sorted(map(str, goods)), strict=True))
        values |= {each: _mint(each) for each in self.minted}
        purchase = Purchase(values, datetime.datetime.now(datetime.UTC) - self.recorded_at)
        for step in self.steps:
            if isinstance(step, Statement):
                step.run(connection, purchase)
            elif step.is_committed:
                connection.commit()
            else:
                connection.rollback()

    @property
    def transactions(self) -> int:
        """How many were committed, single statements included."""
        return sum(
            step.is_alone if isinstance(step, Statement) else step.is_committed
            for step in self.steps
        )

    @property
    def statements(self) -> int:
        """How many there are, BEGIN and COMMIT not included."""
        return sum(isinstance(step, Statement) for step in self.steps)


def program_of(entries: Iterable[Entry], goods: Iterable[uuid.UUID]) -> Program:
    """Find out where each parameter of a recorded purchase of `goods` (variants) came from."""
    sent, sorted_goods = list(entries), sorted(map(str, goods))
    origins = _Origins(known=set(sorted_goods))
    instants = []
    for place, entry in enumerate(sent):
        if isinstance(entry, Sent):
            instants += [each for each in entry.parameters if isinstance(each, datetime.datetime)]
            for value in entry.parameters:
                origins.look_up(_keys_in(value))
            origins.remember(place, entry.rows)
    return Program(
        steps=[
            _statement(entry, origins.gives[place]) if isinstance(entry, Sent) else entry
            for place, entry in enumerate(sent)
        ],
        goods=sorted_goods,
        minted=origins.minted,
        recorded_at=min(instants),
    )


@dataclass(slots=True)
class _Origins:
    """Where the values of a recording come from: `gives[n]` are those of statement n's rows."""

    known: set[Key]
    minted: list[Key] = field(default_factory=list)
    gives: dict[int, list[tuple[int, int, Key]]] = field(default_factory=lambda: defaultdict(list))
    _seen: dict[Key, tuple[int, int, int]] = field(default_factory=dict)

    def look_up(self, keys: Iterable[Key]) -> None:
        """Have fresh values for these: from the first row that had one, or else minted."""
        for key in keys:
            if key not in self.known and key in self._seen:
                place, row, column = self._seen[key]
                self.gives[place].append((row, column, key))
            elif key not in self.known:
                self.minted.append(key)
            self.known.add(key)

    def remember(self, place: int, rows: Iterable[Sequence[Any]]) -> None:
        """Note what a statement gave."""
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                for key in _keys_in(cell):
                    if key == _key(cell):
                        self._seen.setdefault(key, (place, row, column))


def _statement(sent: Sent, gives: Sequence[tuple[int, int, Key]]) -> Statement:
    renewals = [_renewing(value) for value in sent.parameters]
    return Statement(
        query=sent.query,
        parameters=sent.parameters,
        renewals=[(place, renew) for place, renew in enumerate(renewals) if renew is not None],
        gives=gives,
        rowcount=sent.rowcount,
        is_alone=sent.is_alone,
    )


def _key(value: Any) -> Key:
    return value if isinstance(value, int) else str(value)


def _mint(recorded: Key) -> Key:
    if isinstance(recorded, int):
        return secrets.randbits(62) | LEAST_NUMBER
    return str(uuid.uuid4()) if "-" in recorded else secrets.token_hex(16)


def _parts_of(value: Any) -> Iterable[Any]:
    if isinstance(value, Jsonb):
        return [value.obj]
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _keys_in(value: Any) -> Iterator[Key]:
    """The ids and numbers within a parameter or a cell."""
    if isinstance(value, str):
        yield from _ID.findall(value)
    elif isinstance(value, uuid.UUID) or (isinstance(value, int) and abs(value) > LEAST_NUMBER):
        yield _key(value)
    for part in _parts_of(value):
        yield from _keys_in(part)


def _renewing(value: Any) -> Renew | None:
    """How a parameter is made for another purchase; None for one that stays as it is."""
    if isinstance(value, datetime.datetime):
        return lambda purchase: value + purchase.later
    if not any(True for _key in _keys_in(value)):
        return None
    if isinstance(value, str):
        return lambda purchase: _ID.sub(lambda found: str(purchase.values[found[0]]), value)
    if isinstance(value, uuid.UUID):
        return lambda purchase: uuid.UUID(str(purchase.values[str(value)]))
    if isinstance(value, int):
        return lambda purchase: purchase.values[value]
    return _renewing_parts(value)


def _renewing_parts(value: Any) -> Renew:
    def same(part: Any) -> Renew:
        return _renewing(part) or (lambda _purchase: part)

    if isinstance(value, Jsonb):
        make = same(value.obj)
        return lambda purchase: Jsonb(make(purchase))
    if isinstance(value, Mapping):
        fields = {name: same(part) for name, part in value.items()}
        return lambda purchase: {name: make(purchase) for name, make in fields.items()}
    makes = [same(part) for part in value]
    return lambda purchase: [make(purchase) for make in makes]

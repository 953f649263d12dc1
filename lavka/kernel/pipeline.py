"""One connection to PostgreSQL over which statements of many requests travel in one message.

A statement alone costs a system call to send it, one to read its rows, and a change of processes
in between, each dearer than the statement itself. libpq's pipeline mode sends several at once and
reads what they gave as it comes. psycopg connects, dumps parameters and loads rows; its cursors,
which wait for one statement at a time, are left out.
"""

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format

Parameters = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

# As psycopg keeps; the one that was not used for longest makes place for another.
MAX_PREPARED = 100
# The server ends the session: shut down, crashed, dropped (SQLSTATE, class 57).
ENDS_OF_SESSION = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05"})
CANCEL_SECONDS = 5.0
PLACEHOLDER = re.compile(rb"%\((\w+)\)s|%s|%%")


class JsonBytes(Loader):
    """`json` as it is stored."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        """Copy out of the driver's buffer."""
        return bytes(data)


class JsonbBytes(JsonBytes):
    """`jsonb` as text, without the byte in front that tells its version."""

    def load(self, data: Any) -> bytes:
        """Drop the version."""
        return bytes(data[1:])


def keep_json_as_bytes(context: AdaptContext) -> None:
    """Make a connection or cursor hand JSON out unread."""
    context.adapters.register_loader("json", JsonBytes)
    context.adapters.register_loader("jsonb", JsonbBytes)


class Cut(Exception):
    """The connection ended before the statement was answered."""


class Asked:
    """A statement, and the future of its rows.

    A short one may be sent with others, all of which wait for those before them.
    """

    __slots__ = ("deadline", "future", "is_short", "parameters", "pipeline", "query")

    def __init__(
        self, query: str, parameters: Parameters, *, is_short: bool, deadline: float
    ) -> None:
        """Ask; `deadline` is on the loop's clock, for being sent."""
        self.query, self.parameters = query, parameters
        self.is_short, self.deadline = is_short, deadline
        self.future: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self.pipeline: Pipeline | None = None

    def fail(self, fault: BaseException) -> None:
        """Tell whoever still waits."""
        if not self.future.done():
            self.future.set_exception(fault)


# What each result that is to come belongs to.
type Step = Callable[[Any], None]


class Pipeline:
    """A connection of its own; `send` when it is free, and `on_free` tells when it is again.

    `on_end` gets a pipeline whose connection has ended, after its statements were told so.
    Statements that were not run because one before them failed go back to `on_left`.
    """

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        *,
        on_free: Callable[["Pipeline"], None],
        on_end: Callable[["Pipeline"], None],
        on_left: Callable[[Asked], None],
    ) -> None:
        """Take the connection over: nobody else may use it any more."""
        self._connection, self._pgconn = connection, connection.pgconn
        self._on_free, self._on_end, self._on_left = on_free, on_end, on_left
        self._loop = asyncio.get_running_loop()
        self.began = self._loop.time()
        self._transformer = Transformer(connection)
        self._prepared: OrderedDict[tuple[bytes, tuple[int, ...]], bytes] = OrderedDict()
        self._names = count()
        self._steps: deque[Step] = deque()
        self._running: deque[Asked] = deque()
        self._cancelling: asyncio.Task[None] | None = None
        self._is_writing, self._is_open = False, True
        # Kept, for libpq forgets it when the connection breaks.
        self._socket = self._pgconn.socket
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self.read)

    def send(self, batch: Sequence[Asked]) -> None:
        """Send them in one message."""
        try:
            for asked in batch:
                self._add(asked)
            self._steps.append(self._synchronised)
            self._pgconn.pipeline_sync()
            self._flush()
        except psycopg.OperationalError as fault:
            self._end(fault)
            # Those that did not even get as far as the others.
            for asked in batch:
                asked.fail(Cut(str(fault)))

    def _add(self, asked: Asked) -> None:
        query, names = _numbered(asked.query)
        given: Any = asked.parameters
        try:
            values = [given[name] for name in names]
            dumped = self._transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        except Exception as fault:  # noqa: BLE001 - told to whoever asked, not to the others
            asked.fail(fault)
            return
        types, formats = self._transformer.types or (), self._transformer.formats
        asked.pipeline = self
        self._running.append(asked)
        name = self._name_of((query, types), asked)
        self._pgconn.send_query_prepared(name, dumped, formats, Format.BINARY)
        self._steps.append(lambda result: self._answered(asked, result))

    def _name_of(self, key: tuple[bytes, tuple[int, ...]], asked: Asked) -> bytes:
        """The prepared statement's name; it is prepared on the way if it is not yet."""
        name = self._prepared.get(key)
        if name is not None:
            self._prepared.move_to_end(key)
            return name
        if len(self._prepared) >= MAX_PREPARED:
            _key, oldest = self._prepared.popitem(last=False)
            self._pgconn.send_close_prepared(oldest)
            self._steps.append(lambda result: None)
        name = self._prepared[key] = b"read_%d" % next(self._names)
        self._pgconn.send_prepare(name, *key)
        self._steps.append(lambda result: self._was_prepared(key, asked, result))
        return name

    def _was_prepared(self, key: Any, asked: Asked, result: Any) -> None:
        if result.status != ExecStatus.COMMAND_OK:
            self._prepared.pop(key, None)
        if result.status == ExecStatus.FATAL_ERROR:
            self._failed(asked, result)

    def _answered(self, asked: Asked, result: Any) -> None:
        if result.status == ExecStatus.PIPELINE_ABORTED:
            if not asked.future.done():
                self._on_left(asked)
        elif result.status == ExecStatus.FATAL_ERROR:
            self._failed(asked, result)
        elif not asked.future.done():
            self._load(asked, result)
        self._running.popleft()

    def _load(self, asked: Asked, result: Any) -> None:
        try:
            self._transformer.set_pgresult(result)
            rows = self._transformer.load_rows(0, result.ntuples, tuple)
        except Exception as fault:  # noqa: BLE001 - told to whoever asked, not to the others
            asked.fail(fault)
        else:
            asked.future.set_result(rows)

    def _failed(self, asked: Asked, result: Any) -> None:
        fault = psycopg.errors.error_from_result(result)
        if fault.sqlstate in ENDS_OF_SESSION:
            raise fault
        asked.fail(fault)

    def _synchronised(self, result: Any) -> None:
        if self._cancelling is None:
            self._on_free(self)

    def read(self) -> None:
        """Take in what has come; here too it shows that the server hung up."""
        try:
            self._pgconn.consume_input()
            self._take_results()
        except psycopg.OperationalError as fault:
            self._end(fault)

    def _take_results(self) -> None:
        was_none = False
        while self._steps and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is not None:
                self._steps.popleft()(result)
            elif was_none:
                break
            # One None stands between the results of two statements.
            was_none = result is None
        if self._pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError(self._pgconn.get_error_message())

    def _flush(self) -> None:
        is_full = bool(self._pgconn.flush())
        if is_full is self._is_writing:
            return
        self._is_writing = is_full
        if is_full:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _write(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError as fault:
            self._end(fault)

    def abandon(self, asked: Asked) -> None:
        """End the server's work for a statement that nobody waits for, if it does no other."""
        if list(self._running) == [asked] and self._cancelling is None:
            self._cancelling = self._loop.create_task(self._cancel())

    async def _cancel(self) -> None:
        try:
            await self._connection.cancel_safe(timeout=CANCEL_SECONDS)
        except psycopg.Error as fault:
            self._end(fault)
            return
        self._cancelling = None
        if self._is_open and not self._steps:
            self._on_free(self)

    def close(self) -> None:
        """Hang up; whoever still waits for an answer gets none."""
        self._end(psycopg.OperationalError("the connection is closed"))

    def _end(self, fault: psycopg.Error) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._cancelling is not None:
            self._cancelling.cancel()
        self._pgconn.finish()
        for asked in self._running:
            asked.fail(Cut(str(fault)))
        self._on_end(self)


@lru_cache(maxsize=2048)
def _numbered(query: str) -> tuple[bytes, Sequence[str | int]]:
    """The statement with `$1`, `$2` … and the keys of its parameters in their order."""
    keys: dict[str | int, int] = {}

    def number(found: re.Match[bytes]) -> bytes:
        if found[0] == b"%%":
            return b"%"
        key = found[1].decode() if found[1] else len(keys)
        return b"$%d" % keys.setdefault(key, len(keys) + 1)

    return PLACEHOLDER.sub(number, query.encode()), tuple(keys)

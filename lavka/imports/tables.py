"""CSV files, gzipped or not, as a stream of records with line numbers, in constant memory."""

import codecs
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

MAX_RECORD_BYTES = 1024 * 1024
MAX_COLUMNS = 1000
_BLOCK = 1024 * 1024
_GZIP = b"\x1f\x8b"


class Unusable(Exception):
    """The file as a whole cannot be imported; the message says why, and where."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row by column; `line` is where it starts, the header being line 1."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A part of the file that was not imported, and why."""

    line: int
    column: str
    code: str
    reason: str


def opened(path: Path) -> IO[bytes]:
    """The file's content, which may be gzipped, whatever the file is called."""
    with path.open("rb") as file:
        is_gzipped = file.read(len(_GZIP)) == _GZIP
    return cast("IO[bytes]", gzip.open(path, "rb")) if is_gzipped else path.open("rb")


def check_encoding(path: Path) -> None:
    """Read the whole file once; raises Unusable, naming the line, when it is not UTF-8."""
    try:
        _decode(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise Unusable(f"The gzipped file is damaged: {fault}.") from fault


def _decode(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with opened(path) as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as fault:
                # The fault counts from the bytes that the decoder had kept from the block before.
                line += fault.object[: fault.start].count(b"\n")
                raise Unusable(
                    f"Line {line} is not UTF-8: byte 0x{fault.object[fault.start]:02x}. "
                    "Save the file as UTF-8."
                ) from fault
            line += block.count(b"\n")
    if decoder.getstate()[0]:
        raise Unusable(f"Line {line} ends in the middle of a UTF-8 character.")


def header_of(path: Path) -> list[str]:
    """The names of the columns; raises Unusable for an empty file or a header that repeats one."""
    with opened(path) as file:
        first = file.readline(MAX_RECORD_BYTES)
    fields = _fields(first.decode("utf-8-sig", "replace").rstrip("\r\n"))
    if isinstance(fields, str):
        raise Unusable(f"The header cannot be read: {fields}")
    names = [name.strip() for name in fields]
    if len(names) > MAX_COLUMNS:
        raise Unusable(f"The header names {len(names)} columns; at most {MAX_COLUMNS} are read.")
    if not any(names):
        raise Unusable("The file is empty: its first line must name the columns.")
    repeated = {name for name in names if name and names.count(name) > 1}
    if repeated:
        raise Unusable(f"The header names a column twice: {', '.join(sorted(repeated))}.")
    return names


def records(path: Path, names: list[str] | None = None) -> Iterator[Record | Refusal]:
    """Every row with a value after the header, in order; an unreadable one becomes a refusal.

    `names` are what the columns are to be called, if not as the header says. A row above
    `MAX_RECORD_BYTES` is skipped. After a quote that never closes, reading goes on with the next
    line.
    """
    header = names or header_of(path)
    with opened(path) as file:
        file.readline()
        lines = _Lines(file)
        while (start := lines.take()) is not None:
            number, first = start
            if first is None:
                yield Refusal(
                    line=number, column="", code="row_too_long", reason="The row is above 1 MiB."
                )
            elif first.strip(b", \t\r\n"):
                yield _record(header, number, first, lines)


class _Lines:
    """Physical lines with their numbers, which can be put back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._number = file, 1
        self._waiting: deque[tuple[int, bytes | None]] = deque()

    def take(self) -> tuple[int, bytes | None] | None:
        """The next line; its text is None when it is too long to be kept."""
        if self._waiting:
            return self._waiting.popleft()
        line = self._file.readline(MAX_RECORD_BYTES + 1)
        if not line:
            return None
        self._number += 1
        if len(line) <= MAX_RECORD_BYTES:
            return self._number, line
        while line and not line.endswith(b"\n"):
            line = self._file.readline(MAX_RECORD_BYTES)
        return self._number, None

    def put_back(self, lines: Sequence[tuple[int, bytes | None]]) -> None:
        """Let these be taken again, in this order."""
        self._waiting.extendleft(reversed(lines))


def _record(header: list[str], number: int, first: bytes, lines: _Lines) -> Record | Refusal:
    parts, more = [first], []
    quotes, size = first.count(b'"'), len(first)
    while quotes % 2:
        following = lines.take()
        if following is not None:
            more.append(following)
        if following is None or following[1] is None or size > MAX_RECORD_BYTES:
            lines.put_back(more)
            return Refusal(
                line=number, column="", code="unclosed_quote", reason="A quote is never closed."
            )
        parts.append(following[1])
        quotes, size = quotes + following[1].count(b'"'), size + len(following[1])
    fields = _fields(b"".join(parts).decode())
    if isinstance(fields, str):
        lines.put_back(more)
        return Refusal(line=number, column="", code="bad_quotes", reason=fields)
    return _named(header, number, fields)


def _fields(text: str) -> list[str] | str:
    """The row's fields, or what is wrong with its quotes."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as fault:
        return str(fault)
    if not rows:
        return []
    return rows[0] if len(rows) == 1 else "A quote stands inside a field that is not quoted."


def _named(header: list[str], number: int, fields: list[str]) -> Record | Refusal:
    if len(fields) > len(header) and any(fields[len(header) :]):
        reason = f"{len(fields)} fields, but the header has {len(header)}."
        return Refusal(line=number, column="", code="too_many_fields", reason=reason)
    for column, field in zip(header, fields, strict=False):
        if "\x00" in field:
            return Refusal(line=number, column=column, code="nul", reason="A NUL byte.")
    return Record(
        line=number,
        values={n: f.strip() for n, f in zip(header, fields, strict=False)},
    )

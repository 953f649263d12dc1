"""Files of the folder that `LAVKA_DATA` names, plain or gzipped."""

import csv
import gzip
import os
from collections.abc import Collection, Iterator
from pathlib import Path


def real_files(folder: str, *, suffix: str = ".csv") -> list[Path]:
    """Files of a folder of `LAVKA_DATA` with this suffix, gzipped or not; none where it is not."""
    root = os.environ.get("LAVKA_DATA", "")
    found = Path(root, folder).iterdir() if root and Path(root, folder).is_dir() else []
    return sorted(path for path in found if path.name.removesuffix(".gz").endswith(suffix))


def real_table(folder: str, columns: Collection[str]) -> Path | None:
    """The first CSV file of a folder of `LAVKA_DATA` that has these columns."""
    return next((path for path in real_files(folder) if {*columns} <= {*header_of(path)}), None)


def name_of(path: Path) -> str:
    """How a test names the real file it used."""
    return path.relative_to(os.environ["LAVKA_DATA"]).as_posix()


def made_up(folder: str) -> str:
    """How a test says that there is no real file in this folder."""
    return f"made up, for LAVKA_DATA has no {folder}"


def header_of(path: Path) -> list[str]:
    """The columns of a CSV file."""
    names = next(csv.reader(text_of(path).splitlines()), [])
    return [name.strip() for name in names]


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column, without the blanks around what stands there."""
    lines = csv.reader(text_of(path).splitlines(keepends=True))
    names = [name.strip() for name in next(lines, [])]
    for line in lines:
        yield dict(zip(names, map(str.strip, line), strict=False))


def text_of(path: Path) -> str:
    """The file's text; some copies of some files are not UTF-8."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")

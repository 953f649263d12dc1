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


def name_of(path: Path | None, folder: str) -> str:
    """How a test names the input it used."""
    if path is None:
        return f"made up, for LAVKA_DATA has no {folder}"
    return path.relative_to(os.environ["LAVKA_DATA"]).as_posix()


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
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def plain_copy(path: Path, folder: Path) -> Path:
    """The same file in `folder`, not gzipped."""
    copy = folder / path.name.removesuffix(".gz")
    content = path.read_bytes()
    copy.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
    return copy

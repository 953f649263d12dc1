"""Pages of docs/ whose table is what tests have seen."""

from collections.abc import Mapping
from pathlib import Path


def update(page: Path, head: str, rows: Mapping[str, str]) -> None:
    """Write the head, these rows by their first cell, and those that were there before."""
    kept = page.read_text().removeprefix(head).splitlines() if page.exists() else []
    table = {row.split("|")[1].strip(): row for row in kept if row.startswith("| ")} | rows
    page.write_text(head + "".join(f"{table[name]}\n" for name in sorted(table)))

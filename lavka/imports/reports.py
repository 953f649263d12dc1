"""What an import did, row by row where it did not."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lavka.imports.tables import Refusal
from lavka.kernel.plain_text import printable

SHOWN = 20


@dataclass(kw_only=True)
class Report:
    """Counts by outcome; refusals are kept, notes only counted.

    `columns` is what the file calls a column, where that is not what refusals call it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The summary for people."""
        done = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))
        told = [f"{done or 'nothing to import'}; {len(self.refusals)} refusals"]
        told += [f"note: {count} × {note}" for note, count in sorted((+self.notes).items())]
        told += [
            printable(
                f"line {each.line}, {self._name_of(each) or 'row'}: {each.reason} ({each.code})"
            )
            for each in self.refusals[:SHOWN]
        ]
        if len(self.refusals) > SHOWN:
            told.append(f"and {len(self.refusals) - SHOWN} more")
        return told

    def write(self, path: Path) -> None:
        """Save every refusal as CSV."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "column", "code", "reason"])
            writer.writerows(
                (each.line, self._name_of(each), each.code, each.reason) for each in self.refusals
            )

    def _name_of(self, refusal: Refusal) -> str:
        return self.columns.get(refusal.column, refusal.column)

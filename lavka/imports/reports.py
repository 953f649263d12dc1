"""What an import did, row by row where it did not."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lavka.imports.tables import Refusal
from lavka.kernel.plain_text import printable

SHOWN = 20


@dataclass(kw_only=True)
class Report:
    """Counts by outcome; refusals are kept, notes only counted."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The summary for people."""
        done = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))
        told = [f"{done or 'nothing to import'}; {len(self.refusals)} refusals"]
        told += [f"note: {count} × {note}" for note, count in sorted((+self.notes).items())]
        told += [
            printable(f"line {each.line}, {each.column or 'row'}: {each.reason} ({each.code})")
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
            writer.writerows((r.line, r.column, r.code, r.reason) for r in self.refusals)

"""What was measured, and how it is kept: scenario → contender → the eight numbers."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Row:
    """One contender in one scenario; CPU is milliseconds per request, memory is of one worker."""

    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int
    app_cpu_ms: float
    pg_cpu_ms: float
    rss_mb: float

    @property
    def cpu_ms(self) -> float:
        """CPU of application and database together, per request."""
        return self.app_cpu_ms + self.pg_cpu_ms


type Results = Mapping[str, Mapping[str, Row]]


def median_of(rounds: Sequence[Row]) -> Row:
    """The median of each number; the errors of all rounds."""
    middle = {
        field.name: round(statistics.median(getattr(each, field.name) for each in rounds), 3)
        for field in fields(Row)
        if field.name != "errors"
    }
    return Row(**middle, errors=sum(each.errors for each in rounds))


def ratio(mine: float, its: float) -> float | None:
    """How many times as much; None against nothing."""
    return mine / its if its else None


def write_json(results: Results, file: Path) -> None:
    """Write `results` and nothing else."""
    file.write_text(
        json.dumps(
            {
                scenario: {contender: asdict(row) for contender, row in rows.items()}
                for scenario, rows in results.items()
            },
            indent=2,
        )
        + "\n"
    )

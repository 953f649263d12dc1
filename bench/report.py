"""The tables that a person reads."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bench.contenders import Contender
from bench.results import Row, ratio
from bench.scenarios import SCENARIOS

COLUMNS = (
    "req/s", "Lavka is", "of the limit", "p50 ms", "p95 ms", "p99 ms", "errors", "app ms",
    "pg ms", "MB",
)  # fmt: skip


def show(
    scenario: str, rows: Mapping[str, Row], contenders: Sequence[Contender], console: Console
) -> None:
    """A scenario's table: who took part with numbers, who did not with a dash."""
    table = Table(title=SCENARIOS[scenario].title, title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for contender in contenders:
        row = rows.get(contender.name)
        cells = _cells(row, rows) if row else ["–"] * len(COLUMNS)
        table.add_row(contender.title, *cells)
    console.print(table)


def _cells(row: Row, rows: Mapping[str, Row]) -> list[str]:
    lavka, limit = rows.get("lavka"), rows.get("limit")
    return [
        f"{row.rps:,.0f}",
        _times(ratio(lavka.rps, row.rps) if lavka else None),
        _times(ratio(row.rps, limit.rps) if limit else None),
        *(f"{value:,.1f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms)),
        str(row.errors),
        *(f"{value:.2f}" for value in (row.app_cpu_ms, row.pg_cpu_ms)),
        f"{row.rss_mb:.0f}",
    ]


def _times(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}×" if value < 10 else f"{value:.0f}×"

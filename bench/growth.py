"""How Lavka's answers slow down while the shop grows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.contenders import LAVKA
from bench.ground import prepared
from bench.load import Outcome, run_load, write_requests
from bench.run import Pace, lay_out
from bench.scenarios import SCENARIOS
from bench.serving import serving

GROWING = ("page", "filtered", "search")
# Few connections: the time of an answer, not of a queue.
CONNECTIONS = 4
MOST_TIMES = 1.5
SEARCH_P95_MS = 100


@dataclass(frozen=True)
class Growth:
    """Outcomes by scenario and size, smallest first."""

    sizes: Sequence[int]
    outcomes: dict[str, dict[int, Outcome]]

    def times(self, scenario: str) -> float:
        """The median of the largest shop as a multiple of the smallest one's."""
        found = self.outcomes[scenario]
        return found[self.sizes[-1]].p50_ms / found[self.sizes[0]].p50_ms

    def missed(self) -> list[str]:
        """One line for each target of growth that was missed."""
        lines = []
        if self.times("page") > MOST_TIMES:
            lines.append(f"page: {self.times('page'):.2f} times as slow, at most {MOST_TIMES}")
        largest = self.outcomes["search"][self.sizes[-1]]
        if largest.p95_ms > SEARCH_P95_MS:
            lines.append(f"search: p95 {largest.p95_ms:.0f} ms, at most {SEARCH_P95_MS}")
        return lines


def measure_growth(
    sizes: Sequence[int], pace: Pace, tell: Callable[[str], None], root: Path | None = None
) -> Growth:
    """Measure shops of these sizes, each in its own database."""
    ordered = sorted(sizes)
    outcomes: dict[str, dict[int, Outcome]] = {name: {} for name in GROWING}
    for size in ordered:
        tell(f"{size:,} products")
        with prepared(size, workers=pace.workers, root=root) as ground:
            courses = lay_out([SCENARIOS[name] for name in GROWING], ground, pace.workers)
            with serving(LAVKA.without_cache(), ground, pace.workers) as running:
                for course in courses:
                    file = ground.log / "requests.tsv"
                    write_requests(course.requests_for(LAVKA), file)
                    for seconds in (pace.warm_up, pace.seconds):
                        outcome = run_load(
                            running.url, file, seconds=seconds, connections=CONNECTIONS
                        )
                    outcomes[course.scenario.name][size] = outcome
    return Growth(ordered, outcomes)


def show_growth(growth: Growth, console: Console) -> None:
    """Median and 95th percentile by size, and how they grew."""
    table = Table(title="Latency while the shop grows: p50 / p95 ms", title_justify="left")
    table.add_column("")
    for size in growth.sizes:
        table.add_column(f"{size:,}", justify="right")
    table.add_column("grew", justify="right")
    for name, found in growth.outcomes.items():
        cells = [f"{found[size].p50_ms:.2f} / {found[size].p95_ms:.2f}" for size in growth.sizes]
        table.add_row(SCENARIOS[name].title, *cells, f"{growth.times(name):.2f}×")
    console.print(table)

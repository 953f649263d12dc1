"""What the benchmark must show, and where it does not."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.results import Results

# The cheapest list with prices of a peer's shop, CPU per request on two cores: Vendure's search.
PEER_CPU_MS = 31
WORKER_MB = 120


@dataclass(frozen=True)
class Target:
    """`measured` gives the number that must be at least `bound`, None where it was not measured."""

    name: str
    bound: float
    measured: Callable[[Results], float | None]


def missed(results: Results) -> list[str]:
    """One line for each target that was measured and missed, and for each error."""
    lines = []
    for target in TARGETS:
        found = target.measured(results)
        if found is not None and found < target.bound:
            lines.append(f"{target.name}: {found:.2f}, and {target.bound:g} is wanted")
    return lines + [
        f"{scenario}: {rows['lavka'].errors} errors of Lavka, and none is wanted"
        for scenario, rows in results.items()
        if "lavka" in rows and rows["lavka"].errors
    ]


def _beside(scenario: str, other: str, its_scenario: str = "") -> Callable[[Results], float | None]:
    """Lavka's requests per second as a multiple of another's."""

    def measured(results: Results) -> float | None:
        mine = results.get(scenario, {}).get("lavka")
        its = results.get(its_scenario or scenario, {}).get(other)
        return mine.rps / its.rps if mine and its and its.rps else None

    return measured


def _cheaper_than_peer(results: Results) -> float | None:
    row = results.get("page", {}).get("lavka")
    return PEER_CPU_MS / row.cpu_ms if row and row.cpu_ms else None


def _spare_memory(results: Results) -> float | None:
    """Of every scenario but `register`, whose hashes take 100 MB each while they are made."""
    sizes = [
        rows["lavka"].rss_mb
        for scenario, rows in results.items()
        if "lavka" in rows and scenario != "register"
    ]
    return WORKER_MB - max(sizes) if sizes else None


TARGETS = (
    Target("page, times the recipe", 20, _beside("page", "recipe")),
    Target("page, times FastAPI with SQLAlchemy", 3, _beside("page", "fastapi")),
    Target("page, times django-ninja", 3, _beside("page", "ninja")),
    *(
        Target(f"{name}, part of the limit", 0.6, _beside(name, "limit"))
        for name in ("page", "filtered", "search", "product")
    ),
    Target("hot page, times the limit's uncached page", 1, _beside("hot", "limit", "page")),
    Target("304, times the limit's uncached page", 1, _beside("304", "limit", "page")),
    Target("page, CPU against the best peer's list", 40, _cheaper_than_peer),
    *(
        Target(f"{name}, part of the bare script", 0.5, _beside(name, "script"))
        for name in ("checkout", "checkout_hot")
    ),
    Target(f"memory of a worker, MB below {WORKER_MB}", 0, _spare_memory),
)

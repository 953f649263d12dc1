"""A long load on Lavka alone, directly and through nginx: what breaks, piles up or grows."""

import getpass
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.contenders import LAVKA
from bench.exchange import Request
from bench.ground import POOL, READ_POOL, Ground
from bench.load import Outcome, run_load, write_requests
from bench.run import Course, Pace, lay_out
from bench.scenarios import SCENARIOS
from bench.serving import Running, serving, wait_for
from bench.usage import worker_rss_mb
from lavka.cli.embedded import stop
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.state import PROJECT

# By turns, with answers kept in memory as in production.
MIXED = ("page", "filtered", "search", "product", "hot", "304")
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 20
SYSTEM_PATHS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
# Until here hot answers are still filling, and memory with them.
FILLED, MOST_GROWTH = 0.5, 1.05

_CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@dataclass
class Growth:
    """What was seen each second: a worker's memory in MB, and connections to PostgreSQL."""

    memory: list[float] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)

    @property
    def times(self) -> float:
        """How much larger a worker is at the end than when its hot answers had filled."""
        filled = self.memory[int(len(self.memory) * FILLED)]
        return self.memory[-1] / filled


@dataclass(frozen=True)
class Soaked:
    """One way in: what clients saw, and what became of the processes."""

    way: str
    workers: int
    outcome: Outcome
    growth: Growth

    def missed(self) -> Iterator[str]:
        """One line for each thing that broke, piled up or grew."""
        if self.outcome.errors:
            yield f"{self.way}: {self.outcome.errors} errors, and none is wanted"
        most, bound = max(self.growth.connections), self.workers * (POOL + READ_POOL + 1)
        if most > bound:
            yield f"{self.way}: {most} connections to PostgreSQL, at most {bound}"
        if self.growth.times > MOST_GROWTH:
            yield f"{self.way}: a worker grew {self.growth.times:.2f} times"


def measure_soak(
    ground: Ground, pace: Pace, seconds: float, tell: Callable[[str], None]
) -> list[Soaked]:
    """Load one Lavka for so long, directly and then through nginx if there is one."""
    courses = lay_out([SCENARIOS[name] for name in MIXED], ground, pace.workers)
    file = ground.log / "requests.tsv"
    write_requests(_by_turns(courses), file)
    with serving(LAVKA, ground, pace.workers) as running:

        def load(way: str, url: str) -> Soaked:
            tell(f"{way}, {seconds:g} s")
            with _watched(running, ground) as growth:
                outcome = run_load(url, file, seconds=seconds, connections=pace.connections)
            return Soaked(way, pace.workers, outcome, growth)

        soaked = [load("directly", running.url)]
        nginx = shutil.which("nginx") or shutil.which("nginx", path=SYSTEM_PATHS)
        if nginx is None:
            tell("not through nginx: it is not installed")
            return soaked
        with _fronted(running.port, ground, Path(nginx)) as url:
            return [*soaked, load("through nginx", url)]


@contextmanager
def _watched(running: Running, ground: Ground) -> Iterator[Growth]:
    """Look at workers and connections each second for the length of a `with`."""
    growth, is_over = Growth(), threading.Event()

    def watch() -> None:
        with ground.connect() as connection:
            while not is_over.wait(EVERY_SECONDS):
                found = connection.execute(_CLIENTS).fetchone()
                growth.connections.append(found[0] - 1 if found else 0)
                growth.memory.append(worker_rss_mb(running.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield growth
    finally:
        is_over.set()
        watcher.join()


def _by_turns(courses: Sequence[Course]) -> list[Request]:
    most = max(len(course.requests) for course in courses)
    return [
        course.requests[number % len(course.requests)]
        for number in range(most)
        for course in courses
    ]


@contextmanager
def _fronted(backend_port: int, ground: Ground, nginx: Path) -> Iterator[str]:
    """The containers' nginx in front of it; gives its address. Raises: Trouble."""
    port, log = free_port(), ground.log / "nginx.log"
    variables = {
        **ground.variables,
        "PATH": f"{nginx.parent}:{ground.variables['PATH']}",
        "LISTEN": f"{LOOPBACK}:{port}",
        "NGINX_USER": getpass.getuser(),
        "RUN_DIR": str(ground.log / "nginx"),
        "STATIC_ROOT": str(ground.log),
        "MEDIA_ROOT": str(ground.log),
        "BACKEND_HOST": LOOPBACK,
        "BACKEND_PORT": str(backend_port),
        "LAVKA_THROTTLES": "off",
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            ["/bin/sh", str(PROJECT / "deploy/nginx/entrypoint.sh")],
            stdin=subprocess.DEVNULL,
            # One line a request would be gigabytes.
            stdout=subprocess.DEVNULL,
            stderr=output,
            env=variables,
            start_new_session=True,
        )
    try:
        front = Running(child.pid, port)
        wait_for(child, "nginx", front, log)
        yield front.url
    finally:
        stop(child, signal.SIGQUIT, PATIENCE_SECONDS)


def show_soak(soaked: Sequence[Soaked], console: Console) -> None:
    """A line for each way in."""
    table = Table(title="A long load, by turns: " + ", ".join(MIXED), title_justify="left")
    table.add_column("")
    for column in ("req/s", "p50 ms", "p99 ms", "errors", "PostgreSQL", "MB", "MB halfway", "grew"):
        table.add_column(column, justify="right")
    for each in soaked:
        seen, memory = each.outcome, each.growth.memory
        table.add_row(
            each.way,
            f"{seen.rps:,.0f}",
            f"{seen.p50_ms:.1f}",
            f"{seen.p99_ms:.1f}",
            str(seen.errors),
            f"{max(each.growth.connections)}",
            f"{memory[0]:.0f} → {memory[-1]:.0f}",
            f"{memory[int(len(memory) * FILLED)]:.0f}",
            f"{each.growth.times:.3f}×",
        )
    console.print(table)

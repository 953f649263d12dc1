"""A run: survey, check every contender's answers, then measure in interleaved rounds."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.contenders import LAVKA, Contender, Pages
from bench.exchange import Client, Request
from bench.ground import Ground
from bench.load import run_load, write_requests
from bench.results import Row, median_of
from bench.sampler import Sample, compare, sampling
from bench.scenarios import Scenario
from bench.serving import Running, serving
from bench.survey import survey_of
from bench.usage import usage_of, worker_rss_mb
from lavka.cli.trouble import Trouble

SAMPLES = 16
SETTLING_SECONDS = 30
IDLE_CPU_SECONDS = 0.03


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How hard and how long: seconds of warm-up and of load, rounds, connections, workers."""

    warm_up: float
    seconds: float
    rounds: int
    workers: int
    connections: int = 100


@dataclass(frozen=True)
class Course:
    """A scenario with its requests, and answers of Lavka that the others must give too."""

    scenario: Scenario
    requests: Sequence[Request]
    samples: Sequence[Sample]

    def requests_for(self, contender: Contender) -> list[Request]:
        """The requests in the contender's way of paging."""
        return [_for(contender, each) for each in self.requests]

    def samples_for(self, contender: Contender) -> list[Sample]:
        """The samples in the contender's way of paging."""
        return [Sample(_for(contender, each.request), each.expected) for each in self.samples]


def lay_out(scenarios: Sequence[Scenario], ground: Ground, workers: int) -> list[Course]:
    """Survey the shop and note what Lavka answers to a few requests of each scenario."""
    courses = []
    with serving(LAVKA, ground, workers) as lavka, closing(Client(lavka.port)) as client:
        survey = survey_of(ground, client)
        for scenario in scenarios:
            requests = scenario.requests(survey, client)
            samples = [] if scenario.is_write else _samples(requests, client)
            courses.append(Course(scenario, requests, samples))
    return courses


def check(
    contenders: Sequence[Contender], courses: Sequence[Course], ground: Ground, workers: int
) -> int:
    """Compare every contender's answers to Lavka's; how many were.

    Raises: Trouble for the first that differs: what answers something else is not a contender.
    """
    compared = 0
    for contender in contenders:
        with (
            serving(contender, ground, workers) as running,
            closing(Client(running.port)) as client,
        ):
            for course in courses:
                if contender.name in course.scenario.contenders:
                    compared += _check_one(contender, course, client)
    return compared


def measure(
    contenders: Sequence[Contender],
    course: Course,
    ground: Ground,
    pace: Pace,
    tell: Callable[[str], None],
) -> dict[str, Row]:
    """Measure those who take part in a scenario in turn, round after round."""
    part = [each for each in contenders if each.name in course.scenario.contenders]
    rows: Mapping[str, list[Row]] = defaultdict(list)
    for number in range(pace.rounds):
        for contender in part:
            tell(f"{course.scenario.title}: {contender.title}, {number + 1}/{pace.rounds}")
            row, wrong = _measure_one(contender, course, ground, pace)
            rows[contender.name].append(row)
            if wrong:
                tell(f"wrong: {contender.title}: {wrong[0]}")
    return {name: median_of(each) for name, each in rows.items()}


def _measure_one(
    contender: Contender, course: Course, ground: Ground, pace: Pace
) -> tuple[Row, list[str]]:
    scenario = course.scenario
    requests, warming = _files(contender, course, ground.log)
    served = contender if scenario.is_kept else contender.without_cache()
    with _undone(ground, scenario), serving(served, ground, pace.workers) as running:
        load: dict[str, Any] = {"connections": pace.connections, "is_once": scenario.is_write}
        run_load(running.url, warming, seconds=pace.warm_up, **load)
        settle(running, ground)
        began, before = _now(ground), usage_of(running.pid, ground.postmaster)
        with sampling(running.port, course.samples_for(contender)) as findings:
            seen = run_load(running.url, requests, seconds=pace.seconds, **load)
        used = usage_of(running.pid, ground.postmaster).since(before)
        missing = _missing_rows(ground, scenario, began, seen.requests - seen.errors)
        row = Row(
            rps=seen.rps,
            p50_ms=seen.p50_ms,
            p95_ms=seen.p95_ms,
            p99_ms=seen.p99_ms,
            errors=seen.errors + len(findings.wrong) + missing,
            app_cpu_ms=used.app * 1000 / max(1, seen.requests),
            pg_cpu_ms=used.postgres * 1000 / max(1, seen.requests),
            rss_mb=worker_rss_mb(running.pid),
        )
    return row, findings.wrong


def settle(running: Running, ground: Ground) -> None:
    """Wait until the warm-up's last requests, whose client has gone, are worked off."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        before = usage_of(running.pid, ground.postmaster)
        time.sleep(0.25)
        used = usage_of(running.pid, ground.postmaster).since(before)
        if used.app + used.postgres < IDLE_CPU_SECONDS:
            return


def _samples(requests: Sequence[Request], client: Client) -> list[Sample]:
    chosen = Random("samples").sample(requests, min(SAMPLES, len(requests)))  # noqa: S311
    return [Sample(each, client.send(each)) for each in chosen]


def _check_one(contender: Contender, course: Course, client: Client) -> int:
    samples = course.samples_for(contender)
    for sample in samples:
        if wrong := compare(client, sample):
            raise Trouble(f"{contender.title} does not answer as Lavka does: {wrong}")
    return len(samples)


def _files(contender: Contender, course: Course, folder: Path) -> tuple[Path, Path]:
    """Files with the requests to measure and those to warm up with; a write has its own."""
    requests = warming = course.requests_for(contender)
    if course.scenario.is_write:
        tenth = len(requests) // 10
        warming, requests = requests[:tenth], requests[tenth:]
    files = folder / "requests.tsv", folder / "warming.tsv"
    for file, written in zip(files, (requests, warming), strict=True):
        write_requests(written, file)
    return files


def _missing_rows(ground: Ground, scenario: Scenario, since: object, answers: int) -> int:
    """How many good answers to writes have no row; each of them was a lie."""
    if not scenario.rows_made:
        return 0
    with ground.connect() as connection:
        found = connection.execute(scenario.rows_made, {"since": since}).fetchone()
    return max(0, answers - (found[0] if found else 0))


@contextmanager
def _undone(ground: Ground, scenario: Scenario) -> Iterator[None]:
    """Take away what was written in a `with`, when the writer has stopped."""
    since = _now(ground)
    try:
        yield
    finally:
        with ground.connect() as connection:
            for statement in scenario.undo:
                connection.execute(statement, {"since": since})
            if scenario.undo:
                connection.execute("VACUUM")


def _now(ground: Ground) -> object:
    with ground.connect() as connection:
        found = connection.execute("SELECT clock_timestamp()").fetchone()
    return found[0] if found else None


def _for(contender: Contender, request: Request) -> Request:
    return request.by_number() if contender.pages is Pages.BY_NUMBER else request

"""A slow client beside the load that compares whole answers to the expected ones."""

import http.client
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from bench.exchange import Answer, Client, Request, difference

PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """A request with the answer that every contender must give."""

    request: Request
    expected: Answer


@dataclass
class Findings:
    """How many answers were compared, and what was wrong with some."""

    compared: int = 0
    wrong: list[str] = field(default_factory=list)


def compare(client: Client, sample: Sample) -> str:
    """What is wrong with the contender's answer; empty when nothing is."""
    try:
        found = client.send(sample.request)
    except (OSError, http.client.HTTPException) as fault:
        return f"{sample.request.path}: {fault!r}"
    wrong = difference(sample.expected, found)
    return f"{sample.request.path}: {wrong}" if wrong else ""


@contextmanager
def sampling(port: int, samples: Sequence[Sample]) -> Iterator[Findings]:
    """Compare a few answers a second for the length of a `with`; no samples, no comparison."""
    findings, is_over = Findings(), threading.Event()

    def work() -> None:
        with closing(Client(port)) as client:
            for sample in itertools.cycle(samples):
                if wrong := compare(client, sample):
                    findings.wrong.append(wrong)
                findings.compared += 1
                if is_over.wait(PAUSE_SECONDS):
                    break

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield findings
    finally:
        is_over.set()
        worker.join()

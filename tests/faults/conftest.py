"""A shop to be broken, for how long, and the page that tells what was seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import pages
from tests.e2e.rabbitmq import RabbitMQ
from tests.faults import books
from tests.faults.load import Load
from tests.faults.world import World

PAGE, SECONDS = "--faults-page", "--fault-seconds"
_told = pytest.StashKey[dict[str, str]]()

HEAD = """# Faults

What was broken while people bought, reviewed and looked around, and what they and the books saw:
real processes, PostgreSQL 18, RabbitMQ and Valkey. The tests write this page themselves:
`./test.sh tests/faults --fault-seconds 60 --faults-page docs/faults.md`.

Clients try again when they are told `503` or `409 request_in_progress`, or when their connection is
cut, with the same `Idempotency-Key`. The books balance when orders, charges, ledger, stock, mails
and signed webhooks (once each, by their ids) are those that the customers know of, every rating is
that of its reviews, and no outbox, queue, hold, draft or dead letter is left. Leases of killed
processes and pauses before a further attempt, up to minutes long, are cut short by the test.

What needs no whole shop is tried closer to the code: a relay killed between the broker's confirm
and its bookmark, three relays at once, a relay that hangs (`tests/kernel/test_relay.py`); twenty
writers whose commits are late (`tests/kernel/test_log.py`); a receiver that redirects, drips, sends
2 GB or closes half-way, and names that come to mean another address
(`tests/webhooks/test_sending.py`); a disk is full for tables here, not for the write-ahead log:
PostgreSQL itself stops when that one cannot grow.

| fault | how | what clients saw | the books afterwards |
| --- | --- | --- | --- |
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(PAGE, metavar="FILE", help="write what the faults have done to this page")
    parser.addoption(
        SECONDS, type=float, default=3.0, metavar="N", help="how long each fault lasts"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_told] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page; rows of faults that were not tried this time stay as they are."""
    page = session.config.getoption(PAGE, default=None)
    if page:
        pages.update(Path(page), HEAD, session.config.stash[_told])


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """How long a fault lasts."""
    length: float = request.config.getoption(SECONDS)
    return length


@pytest.fixture(scope="module")
def world(rabbitmq: RabbitMQ, pytestconfig: pytest.Config) -> Iterator[World]:
    """One for all faults: each leaves it as it was, and its books are its own."""
    # Not below pytest's own folder, which every session shuts to PostgreSQL's account again.
    with (
        TemporaryDirectory(prefix="lavka-faults-") as folder,
        World(Path(folder), rabbitmq, pytestconfig.getoption(SECONDS)) as world,
    ):
        yield world


@dataclass(frozen=True)
class Tell:
    """Closes the books of a fault and writes its row."""

    world: World
    rows: dict[str, str]

    def __call__(
        self,
        fault: str,
        how: str,
        load: Load,
        *,
        allowed: set[str],
        are_mails_doubled: bool = False,
    ) -> None:
        """Fails when clients saw more than `allowed` or the books do not balance."""
        troubles = load.seen.troubles()
        assert troubles.keys() <= allowed, troubles
        closed = books.balance(self.world, load)
        assert are_mails_doubled or not closed.doubled_mails
        self.rows[fault] = f"| {fault} | {how} | {seen_by(load)} | {closed} |"


@pytest.fixture
def tell(request: pytest.FixtureRequest, world: World) -> Tell:
    return Tell(world, request.config.stash.setdefault(_told, {}))


def seen_by(load: Load) -> str:
    """What the clients of a load were told, in a line."""
    asked = sum(outcomes.total() for outcomes in load.seen.answers.values())
    troubles = load.seen.troubles()
    slowest = max(load.seen.slowest.values())
    named = ", ".join(f"{times} × `{told}`" for told, times in sorted(troubles.items()))
    return f"{asked} requests, {named or 'all answered'}; the slowest took {slowest:.1f} s"

"""A shop on four workers for the races, and the page that tells what was seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lavka.kernel.rows import Compiled
from tests import pages
from tests.e2e.shop import Shop
from tests.races.market import Market
from tests.races.patches import take_locks_out

PAGE, TIMES = "--races-page", "--race-times"
DEFAULT_TIMES = 3
type Times = Callable[[int], int]
_told = pytest.StashKey[list["Seen"]]()

HEAD = """# Races

What was tried against the shop, how often, and what was seen. Purchases come over HTTP to a shop of
four processes; webhooks, refunds and cancellations are raced by threads of one process, against the
same real PostgreSQL. Each kind of guard has a control, a patched copy of the shop without it, which
must fail. The tests write this page themselves: `./test.sh tests/races --races-page docs/races.md`.
Without a page each race runs three times; `--race-times 10` changes that.

| race | what was tried | times | what was seen |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Seen:
    """One row of the page."""

    race: str
    tried: str
    times: int
    seen: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(PAGE, metavar="FILE", help="write what the races have seen to this page")
    parser.addoption(
        TIMES,
        type=int,
        help=f"run each race at most so often; without it {DEFAULT_TIMES} times, and for the page "
        "as often as the race itself says",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_told] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page; rows of races that did not run this time stay as they are."""
    page = session.config.getoption(PAGE, default=None)
    if page:
        rows = {
            each.race: f"| {each.race} | {each.tried} | {each.times} | {each.seen} |"
            for each in session.config.stash[_told]
        }
        pages.update(Path(page), HEAD, rows)


class Page:
    """`page.tell(race, tried, times, seen)`, after all assertions."""

    def __init__(self, seen: list[Seen]) -> None:
        self._seen = seen

    def tell(self, race: str, tried: str, times: int, seen: str) -> None:
        self._seen.append(Seen(race, tried, times, seen))


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Page:
    return Page(request.config.stash.setdefault(_told, []))


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> Times:
    """How often to run a race that says how often is enough."""
    wanted = pytestconfig.getoption(TIMES, default=None)
    if wanted is None and pytestconfig.getoption(PAGE, default=None):
        return lambda enough: enough
    return lambda enough: min(enough, wanted or DEFAULT_TIMES)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is a shop without the row locks of carts, holds, orders and payments."""
    take_locks_out(monkeypatch.setattr)
    # What was compiled with its lock in an earlier test is compiled again at each use.
    made: Any = vars(Compiled)["_statement"]
    monkeypatch.setattr(Compiled, "_statement", property(made.func))


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """Four web workers and one worker for what follows."""
    folder = tmp_path_factory.mktemp("market")
    # Guests' quotes hold stock here, so that holds expire under the buyers' hands.
    settings = {"LAVKA_GUEST_QUOTES_HOLD_STOCK": "1"}
    with Shop(folder, workers=1, web_workers=4, settings=settings) as shop:
        yield Market(shop)

"""What every test may use."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.terminal import TerminalReporter
from django.conf import settings
from django.utils import translation
from xdist.scheduler import LoadFileScheduling

from lavka.kernel import database, threads
from lavka.web import revocation
from lavka.web.revocation import EndedSessions
from tests.client import Api
from tests.e2e.rabbitmq import RabbitMQ
from tests.reading import Connecting, Lent, LentThread

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile(
    "lavka", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("lavka")

# The property of a test's report that names its input.
INPUT = "input"

# Folders of tests that start whole shops, a dozen processes each: two queues of about the same
# length, each for one process of `-n`.
QUEUES = (
    ("faults", "cli"),
    ("e2e", "contract", "races", "replay", "bench", "containers"),
)


class FewShopsAtATime(LoadFileScheduling):
    """Files by turns to the processes of `-n`, but a queue of whole shops to one of them.

    More at once would wait for each other longer than clients, leases and clocks of theirs do.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        file: str = super()._split_scope(nodeid)
        return next((queue[0] for queue in QUEUES if folder in queue), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewShopsAtATime:
    """Instead of the one that `--dist` names."""
    return FewShopsAtATime(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Spell out half a surrogate pair in a log: `-n` sends reports as UTF-8, or ends the run."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process of `-n` is left with it at the end."""
    folder, long = Path(__file__).parent, {name for queue in QUEUES for name in queue}
    items.sort(key=lambda item: item.path.relative_to(folder).parts[0] not in long)


@pytest.fixture(scope="session", autouse=True)
def _application() -> None:
    """Import the application before any test: with it logging is configured, for good."""
    import_module("config.asgi")


@pytest.fixture(autouse=True)
def english() -> None:
    """Forget the language that the request of an earlier test left active in this thread."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def say_input(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says at the end of the tests which input a test used: a real file, or what was made up."""
    return partial(record_property, INPUT)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Repeat what tests have said about their input, one line each."""
    reports = [each for group in terminalreporter.stats.values() for each in group]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == INPUT and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid}: input: {value}")


@pytest.fixture
def api() -> Api:
    """A client of the API."""
    return Api()


@pytest.fixture(autouse=True)
def _reads_see_the_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lend async reads what the test sees of the database (tests/reading.py)."""
    marker = request.node.get_closest_marker("django_db")
    names = set(request.fixturenames)
    if "read_pool" in names or not (marker or names & {"db", "transactional_db"}):
        return
    is_committed = "transactional_db" in names or bool(marker and marker.kwargs.get("transaction"))
    source = Connecting() if is_committed else Lent()
    monkeypatch.setattr(database, "_source", lambda: source)


@pytest.fixture(autouse=True)
def _threads_see_the_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the worker threads' work in the test's thread, which alone sees its transaction."""
    if "worker_threads" not in request.fixturenames:
        monkeypatch.setattr(threads, "_threads", LentThread)


@pytest.fixture(autouse=True)
def _sessions_are_known(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let access tokens be checked as in a process whose listener works: without a query."""
    if "sessions_are_asked" not in request.fixturenames:
        monkeypatch.setattr(EndedSessions, "is_fresh", lambda self: True)
        monkeypatch.setattr(revocation, "_sessions", EndedSessions())


@pytest.fixture
def sessions_are_asked() -> None:
    """Ask the database about each session, as a process does that has no listener."""


@pytest.fixture
def worker_threads(transactional_db: None) -> None:
    """The real threads, on the test's own event loop."""


@pytest.fixture
async def read_pool(transactional_db: None) -> AsyncIterator[None]:
    """The real pool, on the test's own event loop."""
    yield
    await database.close()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A real RabbitMQ node that runs until the tests end; whoever stops it starts it again."""
    node = RabbitMQ(Path(tmp_path_factory.mktemp("rabbitmq")))
    try:
        node.start()
        yield node
    finally:
        node.close()

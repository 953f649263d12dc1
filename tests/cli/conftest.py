"""`lavka up` in a process of its own, with a folder and a port of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from lavka.cli.leftovers import MARK
from lavka.cli.ports import free_port

LAVKA = [sys.executable, str(Path(sys.executable).with_name("lavka"))]
SERVERS_OF_THE_TESTS = ("POSTGRES_", "VALKEY_URL", "SECRET_KEY", "LAVKA_STATE", "WEB_CONCURRENCY")


class Up:
    """One clone's `lavka up`: its folder is `state`, its address `url`."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.txt"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(SERVERS_OF_THE_TESTS)
        }
        self.environment = {
            **clean,
            "LAVKA_STATE": str(self.state),
            "PORT": str(self.port),
            "LAVKA_THROTTLES": "off",
            "PYTHONWARNINGS": "default",
            **variables,
        }
        self.child: subprocess.Popen[bytes] | None = None

    def begin(self, *options: str) -> None:
        with self.output.open("wb") as output:
            self.child = subprocess.Popen(
                [*LAVKA, "up", *options],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *options: str) -> None:
        """Start and wait until it says that the shop is open."""
        self.begin(*options)
        self.wait_for(lambda: "The shop is open" in self.said())

    def refusal(self, *options: str) -> str:
        """What a start says on stderr that must end by itself with exit code 1."""
        finished = self.lavka("up", *options)
        assert finished.returncode == 1, finished.stdout
        return finished.stderr

    def lavka(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*LAVKA, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def said(self) -> str:
        return self.output.read_text()

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> float:
        """Stop it and return how many seconds that took."""
        assert self.child is not None
        began = time.monotonic()
        self.child.send_signal(with_signal)
        self.child.wait(30)
        return time.monotonic() - began

    def answers(self, path: str = "/readyz") -> bool:
        try:
            return httpx.get(self.url + path, timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.state):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def supervisor(self) -> psutil.Process:
        assert self.child is not None
        return psutil.Process(self.child.pid).children()[0]

    def supervised(self, *words: str) -> psutil.Process:
        """The supervisor's child with all these words in its command line."""
        children = {" ".join(each.cmdline()): each for each in self.supervisor().children()}
        named = [each for line, each in children.items() if all(word in line for word in words)]
        assert len(named) == 1, (words, list(children))
        return named[0]

    def wait_for(self, is_so: Callable[[], object], seconds: float = 250) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert self.child is None or self.child.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        for process in self.processes():
            process.kill()


@pytest.fixture(scope="session")
def clones() -> Iterator[Path]:
    """A folder for clones.

    Not below pytest's own: that is closed to the account that PostgreSQL runs as.
    """
    with tempfile.TemporaryDirectory(prefix="lavka-", ignore_cleanup_errors=True) as root:
        Path(root).chmod(0o711)
        yield Path(root)


@pytest.fixture
def start_up(clones: Path) -> Iterator[Callable[..., Up]]:
    """Makes `Up`s in new folders, and ends them after the test."""
    made: list[Up] = []

    def make(**variables: str) -> Up:
        made.append(Up(Path(tempfile.mkdtemp(dir=clones)), **variables))
        made[-1].folder.chmod(0o711)
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def new_up(start_up: Callable[..., Up]) -> Up:
    """A clone that was never started."""
    return start_up()


@pytest.fixture(scope="session")
def stocked(clones: Path) -> Path:
    """The folder of a shop that was started once, and stopped."""
    up = Up(clones / "stocked")
    up.folder.mkdir(mode=0o711)
    try:
        up.start()
        up.stop()
    finally:
        up.end()
    return up.state


@pytest.fixture
def up(start_up: Callable[..., Up], stocked: Path) -> Up:
    """A clone that was started before."""
    made = start_up()
    subprocess.run(["cp", "-a", str(stocked), str(made.state)], check=True)
    return made

"""A contender that runs for the length of a `with`."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.contenders import Contender
from bench.exchange import Client, Request
from bench.ground import Ground
from lavka.cli.embedded import stop
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.trouble import Trouble, last_lines

START_SECONDS = 60
PATIENCE_SECONDS = 20
FIRST = Request(path="/api/v1/products/")


@dataclass(frozen=True)
class Running:
    """A started contender: its root process and its port."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{LOOPBACK}:{self.port}"


@contextlib.contextmanager
def serving(contender: Contender, ground: Ground, workers: int) -> Iterator[Running]:
    """Start it, wait until it answers, and stop it with all its processes."""
    port, log = free_port(), ground.log / f"{contender.name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            contender.command_line(port=port, workers=workers),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**ground.variables, **contender.environment(port=port, workers=workers)},
            start_new_session=True,
        )
    try:
        wait_for(child, contender.title, Running(child.pid, port), log)
        yield Running(child.pid, port)
    finally:
        stop(child, signal.SIGTERM, PATIENCE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            # Workers whose master had to be killed; the group is the session started above.
            os.killpg(child.pid, signal.SIGKILL)


def wait_for(
    child: "subprocess.Popen[bytes]", title: str, running: Running, log: os.PathLike[str]
) -> None:
    """Return when it answers as a shop. Raises: Trouble, with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    with contextlib.closing(Client(running.port)) as client:
        while not _answers(client):
            if child.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"{title} did not start:{last_lines(log)}")
            time.sleep(0.1)


def _answers(client: Client) -> bool:
    try:
        return client.send(FIRST).status == 200
    except (OSError, http.client.HTTPException):
        return False

"""A RabbitMQ node of the tests' own, from the machine's `rabbitmq-server`."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import amqp

from lavka.cli.ports import LOOPBACK, free_port

START_SECONDS = 90.0


class RabbitMQ:
    """One node with its own ports, folder, Erlang cookie and `epmd`; run as root too.

    `stop` and `start` keep the node's data, so that a fault in the middle can be tried.
    """

    host = LOOPBACK
    user = "guest"
    password = "guest"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.child: subprocess.Popen[bytes] | None = None
        self.epmd_port = free_port()
        self.epmd: subprocess.Popen[bytes] | None = None
        for name in ("home", "mnesia", "log"):
            (folder / name).mkdir()
        (folder / "enabled_plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = {LOOPBACK}:{self.port}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        self.environment = {
            **os.environ,
            "HOME": str(folder / "home"),
            "RABBITMQ_NODENAME": f"lavka{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }

    @property
    def variables(self) -> dict[str, str]:
        """What makes a shop use this node."""
        return {
            "RABBITMQ_HOST": self.host,
            "RABBITMQ_PORT": str(self.port),
            "RABBITMQ_DEFAULT_USER": self.user,
            "RABBITMQ_DEFAULT_PASSWORD": self.password,
        }

    def start(self) -> None:
        """Start the node, or start it again with its data, and wait until it accepts a client."""
        if self.epmd is None:
            self.epmd = self._spawn("epmd")
        self.child = self._spawn("rabbitmq-server")
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            log = (self.folder / "rabbitmq.log").read_text(errors="replace")
            assert self.child.poll() is None, f"RabbitMQ ended:\n{log[-2000:]}"
            assert time.monotonic() < deadline, f"RabbitMQ does not answer:\n{log[-2000:]}"
            time.sleep(0.2)

    def answers(self) -> bool:
        """Whether a client can log in."""
        try:
            with amqp.Connection(
                f"{self.host}:{self.port}", self.user, self.password, connect_timeout=2
            ):
                return True
        except (OSError, amqp.AMQPError):
            return False

    def stop(self) -> None:
        """Stop the node in order, keeping its data."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the node without a warning."""
        self._end(signal.SIGKILL)

    def queued(self, queue: str = "lavka.default") -> int:
        """Messages that wait in a queue; 0 when it does not exist."""
        with amqp.Connection(f"{self.host}:{self.port}", self.user, self.password) as connection:
            try:
                return int(connection.channel().queue_declare(queue, passive=True).message_count)
            except amqp.NotFound:
                return 0

    def close(self) -> None:
        """Kill the node and everything it started."""
        self.kill()
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()
            self.epmd = None

    def _spawn(self, name: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "rabbitmq.log").open("ab") as output:
            return subprocess.Popen(
                [_program(name)],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _end(self, with_signal: signal.Signals) -> None:
        if self.child is None:
            return
        group = self.child.pid
        if with_signal == signal.SIGTERM and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.child.wait()
        self.child = None
        _wait_until_closed(self.port)


def _program(name: str) -> str:
    # Debian's wrapper in /usr/sbin changes the user and forgets the variables, so it comes last.
    found = shutil.which(name, path=f"/usr/lib/rabbitmq/bin:{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not installed: apt install rabbitmq-server"
    return found


def _wait_until_closed(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)):
                return
        time.sleep(0.1)

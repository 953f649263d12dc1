"""Starts PostgreSQL and Valkey for the tests; loaded with `-p`, before Django reads its settings.

With `POSTGRES_HOST` in the environment the tests use that server, and `VALKEY_URL` that one.
The developer's `.env` and `.lavka/` are not read. Under `-n` every process has servers of its own.
"""

import contextlib
import os
import signal
import tempfile
from pathlib import Path

import pytest

from lavka.cli.embedded import Postgres, Server, Valkey, running
from lavka.cli.ports import free_port

UNSAFE_BUT_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "max_connections": "300",
    "log_min_messages": "error",
}


class Servers:
    """The servers that the tests share, as a pytest plugin."""

    def __init__(self) -> None:
        """Choose folders and ports now, so that the settings can be read; start nothing yet."""
        self.stack = contextlib.ExitStack()
        self.given = dict(os.environ)
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="lavka-")))
        self.folder.chmod(0o711)
        self.servers: list[Server] = []
        os.environ.update(
            DEBUG="0",
            SECRET_KEY="only-for-the-tests-0123456789-0123456789-0123456789",
            LAVKA_HTTPS="off",
            LAVKA_LOG_JSON="off",
            EMAIL_URL="files",
            LAVKA_PAYMENT_METHODS="sandbox,invoice,cash_on_delivery",
            LAVKA_DB_POOL="40",  # a race holds a connection per thread
            LAVKA_ENV_FILE=os.devnull,
            LAVKA_STATE=str(self.folder / "state"),
        )
        for name in ("S3_BUCKET", "RABBITMQ_HOST", "CELERY_BROKER_URL"):
            os.environ.pop(name, None)
        if not os.environ.get("POSTGRES_HOST"):
            self._choose_postgres()
        if not os.environ.get("VALKEY_URL"):
            self._choose_valkey()

    def _choose_postgres(self) -> None:
        postgres = Postgres(
            self.folder / "postgres", free_port(), "lavka", "for-tests", UNSAFE_BUT_FAST
        )
        os.environ.update(
            POSTGRES_HOST="127.0.0.1",
            POSTGRES_PORT=str(postgres.port),
            POSTGRES_USER=postgres.user,
            POSTGRES_PASSWORD=postgres.password,
            POSTGRES_DB="lavka",
        )
        self.servers.append(postgres)

    def _choose_valkey(self) -> None:
        valkey = Valkey(self.folder / "valkey", free_port(), "for-tests")
        os.environ["VALKEY_URL"] = valkey.url
        self.servers.append(valkey)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Start what the tests will use, unless they are only listed."""
        # WhiteNoise warns of a missing folder, and a warning is an error here.
        (self.folder / "state" / "static").mkdir(parents=True)
        if config.option.collectonly:
            return
        if config.getoption("numprocesses", None):
            # This process only hands out the tests, and its children choose servers themselves.
            os.environ.clear()
            os.environ.update(self.given)
            return
        # A terminated session stops its servers too, as an interrupted one does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for server in self.servers:
            server.initialise()
        self.stack.enter_context(running(self.servers, self.folder))

    def pytest_unconfigure(self) -> None:
        """Stop the servers and delete their data."""
        self.stack.close()


SERVERS = Servers()


def pytest_configure(config: pytest.Config) -> None:
    """Hand over to the one instance."""
    SERVERS.pytest_configure(config)


def pytest_unconfigure() -> None:
    """Hand over to the one instance."""
    SERVERS.pytest_unconfigure()

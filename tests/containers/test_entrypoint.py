"""deploy/entrypoint.py, and what every process says to wrong settings."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DOCKER_ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100580A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000580A\t00000000\t0001\t0\t0\t0\tF8FFFFFF\t0\t0\t0
"""
PREPARE = "import sys; sys.path[:0] = ['deploy', '.']; import entrypoint; entrypoint.prepare_shop()"
SENTENCE = (
    "SECRET_KEY is not set. With DEBUG=0 the shop needs a secret of its own: "
    "put 50 random characters into SECRET_KEY, in .env or in the environment.\n"
)


@pytest.fixture(scope="module")
def entrypoint() -> ModuleType:
    spec = importlib.util.spec_from_file_location("entrypoint", PROJECT / "deploy/entrypoint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def empty_database() -> Iterator[str]:
    """A database of its own, without any table."""
    database, name = settings.DATABASES["default"], f"empty_{os.getpid()}"
    server = psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run(command: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "LAVKA_ENV_FILE": os.devnull, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "manage.py", "migrate"],
        [str(BIN / "gunicorn"), "--config", "deploy/gunicorn.conf.py", "config.asgi:application"],
        [str(BIN / "celery"), "-A", "config", "worker"],
        [str(BIN / "celery"), "-A", "config", "beat"],
        [sys.executable, "deploy/entrypoint.py", "gunicorn"],
        [sys.executable, "deploy/entrypoint.py", "celery"],
    ],
    ids=lambda command: " ".join(Path(part).name for part in command[:5]),
)
@pytest.mark.parametrize("secret", ["", "change-me-before-you-set-DEBUG-to-0"], ids=["none", "own"])
def test_production_without_a_secret_is_refused_with_one_sentence(
    command: list[str], secret: str, tmp_path: Path
) -> None:
    refused = run(command, DEBUG="0", SECRET_KEY=secret, LAVKA_STATE=str(tmp_path))

    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", SENTENCE)


def test_two_backends_that_start_together_migrate_once(empty_database: str) -> None:
    def start(_: int) -> "subprocess.CompletedProcess[str]":
        return run([sys.executable, "-c", PREPARE], POSTGRES_DB=empty_database, LAVKA_DEMO="0")

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(start, range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    migrated = [each for each in (first, second) if "Applying accounts.0001_initial" in each.stdout]
    assert len(migrated) == 1


def test_a_database_that_never_comes_ends_the_container_with_its_reason() -> None:
    ended = run(
        [sys.executable, "deploy/entrypoint.py", "gunicorn"],
        POSTGRES_HOST="127.0.0.1",
        POSTGRES_PORT="1",
        LAVKA_WAIT_SECONDS="0",
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("gave up after 0 s: PostgreSQL at 127.0.0.1:1: ")
    assert ended.stderr.count("\n") == 1


def test_any_other_command_runs_without_waiting() -> None:
    said = run([sys.executable, "deploy/entrypoint.py", "echo", "hello"], POSTGRES_PORT="1")

    assert (said.returncode, said.stdout) == (0, "hello\n")


def test_proxies_are_believed_on_the_containers_network_but_not_its_gateway(
    entrypoint: ModuleType, tmp_path: Path
) -> None:
    routes = tmp_path / "route"
    routes.write_text(DOCKER_ROUTES)

    assert entrypoint.neighbours(routes) == [
        "127.0.0.1/32",
        "10.88.0.0/32",
        "10.88.0.2/31",
        "10.88.0.4/30",
    ]

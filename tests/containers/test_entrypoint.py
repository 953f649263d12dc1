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


SAFE = {
    "DEBUG": "0",
    "SECRET_KEY": "s" * 64,
    "POSTGRES_USER": "lavka",
    "POSTGRES_PASSWORD": "p" * 64,
    "RABBITMQ_DEFAULT_USER": "lavka",
    "RABBITMQ_DEFAULT_PASSWORD": "r" * 64,
    "LAVKA_WAIT_SECONDS": "0",
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_PORT": "1",
    "RABBITMQ_HOST": "127.0.0.1",
    "RABBITMQ_PORT": "1",
}


@pytest.mark.parametrize("program", ["gunicorn", "celery"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DEBUG": "1"}, "DEBUG=1"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"POSTGRES_PASSWORD": "lavka"}, "POSTGRES_PASSWORD"),
        ({"POSTGRES_PASSWORD": ""}, "POSTGRES_PASSWORD"),
        ({"RABBITMQ_DEFAULT_PASSWORD": "guest"}, "RABBITMQ_DEFAULT_PASSWORD"),
        ({"RABBITMQ_DEFAULT_PASSWORD": "a-long-user-name",
          "RABBITMQ_DEFAULT_USER": "a-long-user-name"}, "RABBITMQ_DEFAULT_PASSWORD"),
    ],
)  # fmt: skip
def test_an_open_shop_does_not_start_with_what_everybody_knows(
    program: str, change: dict[str, str], said: str
) -> None:
    command = [sys.executable, "deploy/entrypoint.py", program]

    refused = run(command, **SAFE | change | {"LAVKA_HTTP_PORT": "80"})

    faults = [line for line in refused.stderr.splitlines() if line.startswith("- ")]
    assert refused.returncode == 1
    assert "opens the shop to everybody" in refused.stderr
    assert [fault.startswith(f"- {said}") for fault in faults] == [True]


@pytest.mark.parametrize(
    ("port", "change"),
    [
        ("80", {}),
        ("127.0.0.1:80", {"POSTGRES_PASSWORD": "lavka", "RABBITMQ_DEFAULT_PASSWORD": "lavka"}),
        ("127.0.0.1:80", {"DEBUG": "1", "SECRET_KEY": settings.EXAMPLE_SECRET_KEY}),
    ],
)
def test_a_shop_of_its_own_secrets_or_of_this_machine_starts(
    port: str, change: dict[str, str]
) -> None:
    command = [sys.executable, "deploy/entrypoint.py", "gunicorn"]

    tried = run(command, **SAFE | change | {"LAVKA_HTTP_PORT": port})

    assert tried.stderr.startswith("gave up after 0 s: PostgreSQL at 127.0.0.1:1: ")


@pytest.mark.parametrize(
    ("published", "is_open"),
    [
        ("80", True), ("443", True), ("0.0.0.0:80", True), ("[::]:80", True),
        ("10.0.0.5:443", True), ("127.0.0.1:80", False), ("[::1]:80", False),
        ("127.8.8.8:443", False), ("8080", False),
        ("0.0.0.0:8080", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_open_to_everybody(entrypoint: ModuleType, published: str, is_open: bool) -> None:
    assert entrypoint.is_open(published) is is_open


def test_the_example_becomes_safe_by_the_commands_in_it(tmp_path: Path) -> None:
    example = PROJECT / ".env.example"
    (tmp_path / ".env").write_text(example.read_text())
    commands = [
        line.removeprefix("#")
        for line in example.read_text().splitlines()
        if line.startswith("#   ")
    ]

    subprocess.run(["sh", "-c", "\n".join(commands)], check=True, cwd=tmp_path)

    made = (tmp_path / ".env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in made if line and line[0] != "#")
    secrets = {variables[name] for name in variables if "PASSWORD" in name or "SECRET" in name}
    assert variables["DEBUG"] == "0"
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {64}
    command = [sys.executable, "deploy/entrypoint.py", "gunicorn"]
    tried = run(command, **SAFE | {**variables, "POSTGRES_HOST": "127.0.0.1"} | {
        "POSTGRES_PORT": "1", "LAVKA_HTTP_PORT": "80",
    })  # fmt: skip
    assert tried.stderr.startswith("gave up after 0 s: PostgreSQL at 127.0.0.1:1: ")


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

"""Which servers a start brings itself, and the variables that every process of it gets."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lavka.cli.embedded import Postgres, Server, Valkey
from lavka.cli.ports import LOOPBACK, free_port, is_free
from lavka.cli.state import PROJECT, State, read_env_file
from lavka.cli.trouble import Trouble

DATABASE = "lavka"
# Connections beside those of the web workers: Celery's processes, beat, shells, a console.
SPARE_CONNECTIONS = 60


@dataclass(frozen=True)
class Plan:
    """`noted` goes into `server.env`; `variables` is the whole environment of a child."""

    state: State
    postgres: Postgres | None
    valkey: Valkey | None
    noted: Mapping[str, str]
    variables: Mapping[str, str]

    @property
    def servers(self) -> list[Server]:
        """The embedded servers, in the order in which they start."""
        return [server for server in (self.postgres, self.valkey) if server is not None]

    @property
    def url(self) -> str:
        """Where the shop is reached on this machine."""
        return f"http://{LOOPBACK}:{self.variables['PORT']}"

    def write(self) -> None:
        """Make the servers' folders and note the variables for other terminals."""
        for server in self.servers:
            server.initialise()
        self.state.write_variables(self.noted)


def make_plan(state: State, port: int | None = None) -> Plan:
    """Decide from the environment, `.env` and what the last start has noted.

    Without a `port` the shop's address stays as noted: the plan of a command beside the shop.
    """
    given = given_variables()
    before = state.variables()
    shop_port = port or _number(before, "PORT", 8000)
    noted = {
        "SECRET_KEY": before.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "PORT": str(shop_port),
        "LAVKA_HTTPS": "off",
        "LAVKA_LOG_JSON": "off",
        "EMAIL_URL": "files",
        "LAVKA_PAYMENT_METHODS": "sandbox,invoice,cash_on_delivery",
        "LAVKA_SHOP_URL": f"http://{LOOPBACK}:{shop_port}",
    }
    postgres = valkey = None
    if "POSTGRES_HOST" not in given:
        postgres = _embedded_postgres(state, before, given)
        noted |= {
            "POSTGRES_HOST": LOOPBACK,
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": postgres.user,
            "POSTGRES_PASSWORD": postgres.password,
            "POSTGRES_DB": DATABASE,
        }
    if "VALKEY_URL" not in given:
        password = before.get("VALKEY_PASSWORD") or secrets.token_urlsafe(24)
        valkey = Valkey(state.valkey, _kept_port(before, "VALKEY_PORT"), password)
        noted |= {
            "VALKEY_PASSWORD": password,
            "VALKEY_PORT": str(valkey.port),
            "VALKEY_URL": valkey.url,
        }
    # A server that runs here is the one to use: the file may name a port or a user of another.
    own = {name: value for name, value in noted.items() if name.startswith(("POSTGRES_", "VALKEY"))}
    variables = {"WEB_CONCURRENCY": "2", "GRACEFUL_TIMEOUT": "3", **noted, **given, **own} | {
        "PORT": str(shop_port),
        "LAVKA_BIND": f"{LOOPBACK}:{shop_port}",
        "LAVKA_STATE": str(state.root),
    }
    return Plan(state, postgres, valkey, noted, variables)


def given_variables() -> dict[str, str]:
    """What the environment and, after it, `.env` say; an empty value says nothing."""
    env_file = Path(os.environ.get("LAVKA_ENV_FILE") or PROJECT / ".env")
    given = {**read_env_file(env_file), **os.environ}
    return {name: value for name, value in given.items() if value}


def _embedded_postgres(
    state: State, before: Mapping[str, str], given: Mapping[str, str]
) -> Postgres:
    password = before.get("POSTGRES_PASSWORD")
    if password is None and (state.postgres / "PG_VERSION").exists():
        raise Trouble(
            f"{state.server_env} is gone, and with it the password of the database in "
            f"{state.postgres}; put it back, or start over with ./run.sh --reset."
        )
    per_process = _number(given, "LAVKA_DB_POOL", 8) + _number(given, "LAVKA_READ_POOL", 4)
    pooled = per_process * _number(given, "WEB_CONCURRENCY", 2)
    settings = {
        "max_connections": str(pooled + SPARE_CONNECTIONS),
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
    }
    port = _kept_port(before, "POSTGRES_PORT")
    return Postgres(state.postgres, port, DATABASE, password or secrets.token_urlsafe(24), settings)


def _kept_port(before: Mapping[str, str], name: str) -> int:
    kept = _number(before, name, 0)
    return kept if kept and is_free(kept) else free_port()


def _number(variables: Mapping[str, str], name: str, default: int) -> int:
    value = variables.get(name, str(default))
    if not (value.isascii() and value.isdigit()):
        raise Trouble(f"{name} must be a number, not {value!r}.")
    return int(value)

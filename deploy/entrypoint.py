"""What a container does before its process: wait for what it needs, prepare the shop once."""

import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured

APP = Path(__file__).resolve().parent.parent
WAIT_SECONDS = int(os.environ.get("LAVKA_WAIT_SECONDS", "120"))
# Published there on every address of the machine, the shop is for everybody.
OPEN_PORTS = {"80", "443"}
WELL_KNOWN = {
    "lavka",
    "guest",
    "postgres",
    "rabbitmq",
    "password",
    "changeme",
    "change-me",
    "secret",
}
MIN_PASSWORD, MIN_SECRET = 12, 32
PASSWORDS = {
    "POSTGRES_PASSWORD": "POSTGRES_USER",
    "RABBITMQ_DEFAULT_PASSWORD": "RABBITMQ_DEFAULT_USER",
}
# Any number, as long as every backend takes the same.
PREPARATION_LOCK = 7_215_011


def main(command: list[str]) -> None:
    """Prepare for `command` and become it, so that it gets the container's signals itself."""
    sys.path.insert(0, str(APP))
    program = Path(command[0]).name if command else ""
    try:
        if program in {"gunicorn", "celery"}:
            refuse_defaults()
        if program == "gunicorn":
            prepare_shop()
            os.environ.setdefault("FORWARDED_ALLOW_IPS", ",".join(neighbours()))
        elif program == "celery":
            wait_for_broker()
            wait_for_migrations()
    except ImproperlyConfigured as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)
    os.execvp(command[0], command)  # noqa: S606 - the command is the container's own


def refuse_defaults() -> None:
    """End the container of an open shop with secrets that everybody knows."""
    port = os.environ.get("LAVKA_HTTP_PORT", "")
    faults = list(defaults_in_use(os.environ)) if is_open(port) else []
    if faults:
        sys.exit(
            f"LAVKA_HTTP_PORT={port} opens the shop to everybody, but:\n"
            + "".join(f"- {fault}\n" for fault in faults)
            + "Make each secret with: openssl rand -hex 32. For a database that is there already, "
            "see docs/containers.md. Or keep the shop to this machine: LAVKA_HTTP_PORT=127.0.0.1:80"
        )


def is_open(published: str) -> bool:
    """Whether a port, as compose publishes it, is one of the web's and not only this machine's."""
    address, _colon, port = published.rpartition(":")
    try:
        is_loopback = bool(address) and ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    return port in OPEN_PORTS and not is_loopback


def defaults_in_use(variables: Mapping[str, str]) -> Iterator[str]:
    """What of the settings everybody knows, or could guess."""
    from config import settings

    if settings.DEBUG:
        yield "DEBUG=1 shows errors and sells for nothing; set DEBUG=0"
    if settings.SECRET_KEY == settings.EXAMPLE_SECRET_KEY or len(settings.SECRET_KEY) < MIN_SECRET:
        yield f"SECRET_KEY is the example's, or has fewer than {MIN_SECRET} characters"
    for name, user in PASSWORDS.items():
        password = variables.get(name, "")
        is_guessed = password.lower() in WELL_KNOWN or password == variables.get(user)
        if is_guessed or len(password) < MIN_PASSWORD:
            yield f"{name} is a default, or has fewer than {MIN_PASSWORD} characters"


def prepare_shop() -> None:
    """Migrate, and stock an empty development shop; of several backends one does it at a time."""
    with connect_to_database() as connection:
        wait_for_turn(connection)
        manage("migrate", "--noinput", "-v", "1")
        if is_demo_wanted() and not has_products(connection):
            say("the shop is empty: loading the demo shop")
            state = os.environ.get("LAVKA_STATE", str(APP / ".lavka"))
            if not manage("demo", "--logins", f"{state}/logins.json", is_required=False):
                say("the demo shop is not whole; `lavka demo` tries again")


def wait_for_turn(connection: psycopg.Connection) -> None:
    """Take the lock of the one that prepares, asking again and again.

    A statement that waits for it would hold a snapshot, and an index that the other one makes
    concurrently would wait for that.
    """
    while True:
        taken = connection.execute("SELECT pg_try_advisory_lock(%s)", [PREPARATION_LOCK]).fetchone()
        if taken and taken[0]:
            return
        time.sleep(0.5)


def connect_to_database() -> psycopg.Connection:
    """Connect as soon as PostgreSQL answers; end the container with the reason if it never does."""
    from config import settings

    database = settings.DATABASES["default"]
    for fault in patiently():
        try:
            return psycopg.connect(
                host=str(database["HOST"]),
                port=str(database["PORT"]),
                user=str(database["USER"]),
                password=str(database["PASSWORD"]),
                dbname=str(database["NAME"]),
                connect_timeout=5,
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            fault.append(
                f"PostgreSQL at {database['HOST']}:{database['PORT']}: {first_line(error)}"
            )
    raise AssertionError("patiently() ends the process itself")


def wait_for_broker() -> None:
    """Wait until the broker's port is open; Celery itself keeps trying from there."""
    from config import settings

    address = urlsplit(settings.CELERY_BROKER_URL)
    if not address.hostname:
        return
    port = address.port or 6379
    for fault in patiently():
        try:
            socket.create_connection((address.hostname, port), timeout=5).close()
        except OSError as error:
            fault.append(f"the broker at {address.hostname}:{port}: {first_line(error)}")
        else:
            return


def wait_for_migrations() -> None:
    """Wait until a backend has brought the tables up to this image's migrations."""
    connect_to_database().close()
    for fault in patiently(pause_seconds=2):
        if manage("migrate", "--check", "-v", "0", is_required=False):
            return
        fault.append("migrations are missing; `backend` applies them when it starts")


def patiently(pause_seconds: float = 1) -> Iterator[list[str]]:
    """Yield until the caller stops; it appends why it has to wait, which is said once per reason.

    Ends the process with the last reason after LAVKA_WAIT_SECONDS.
    """
    deadline, said = time.monotonic() + WAIT_SECONDS, ""
    while True:
        fault: list[str] = []
        yield fault
        reason = fault[-1] if fault else ""
        if time.monotonic() > deadline:
            sys.exit(f"gave up after {WAIT_SECONDS} s: {reason}")
        if reason != said:
            say(f"waiting: {reason}")
            said = reason
        time.sleep(pause_seconds)


def manage(*arguments: str, is_required: bool = True) -> bool:
    """Run a management command as its own process; a required one that fails ends the container."""
    done = subprocess.run([sys.executable, str(APP / "manage.py"), *arguments], check=False)  # noqa: S603
    if done.returncode and is_required:
        sys.exit(done.returncode)
    return not done.returncode


def is_demo_wanted() -> bool:
    """`LAVKA_DEMO`, 1 or 0; without it, whether this is a development shop."""
    from config import settings

    return settings.env.bool("LAVKA_DEMO", settings.DEBUG)


def has_products(connection: psycopg.Connection) -> bool:
    """Whether anything stands in the catalogue."""
    row = connection.execute("SELECT EXISTS (SELECT FROM catalog_product)").fetchone()
    return bool(row and row[0])


def neighbours(routes: Path = Path("/proc/net/route")) -> list[str]:
    """The networks this container is attached to, without their gateways, and itself.

    nginx is on them. A request to a published port comes through the gateway or from outside, so
    its X-Forwarded-For does not count.
    """
    rows = [line.split() for line in routes.read_text().splitlines()[1:]]
    gateways = {_address(row[2]) for row in rows if row[2] != "00000000"}
    trusted = [ipaddress.ip_network("127.0.0.1")]
    for row in rows:
        if row[2] == "00000000" and row[7] != "00000000":
            network = ipaddress.IPv4Network(
                (int(_address(row[1])), int(_address(row[7])).bit_count())
            )
            trusted += _without(network, gateways)
    return [str(network) for network in trusted]


def _address(little_endian_hex: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bytes.fromhex(little_endian_hex)[::-1])


def _without(
    network: ipaddress.IPv4Network, gateways: set[ipaddress.IPv4Address]
) -> list[ipaddress.IPv4Network]:
    kept = [network]
    for gateway in gateways:
        alone = ipaddress.IPv4Network(gateway)
        kept = [
            part
            for whole in kept
            for part in (whole.address_exclude(alone) if gateway in whole else [whole])
        ]
    return sorted(kept)


def first_line(error: Exception) -> str:
    """What an exception says, without its hints."""
    return str(error).strip().split("\n")[0]


def say(text: str) -> None:
    """One line in the container's log."""
    print(f"entrypoint: {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

"""`lavka up` with real processes: it starts, keeps its data, heals, stops, and says why not."""

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import pytest

from tests.cli.conftest import Up

pytestmark = pytest.mark.timeout(600)
ADDRESSES = {
    "email": "ada@example.com",
    "shipping": {
        "name": "Ada",
        "line1": "12 St James Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "billing": None,
}


def product_count(up: Up) -> str:
    counted = up.lavka(
        "manage", "shell", "--no-imports", "-c",
        "from lavka.catalog.models import Product; print(Product.objects.count())",
    )  # fmt: skip
    assert counted.returncode == 0, counted.stderr
    return counted.stdout.strip()


def test_it_serves_stops_and_keeps_its_data(new_up: Up) -> None:
    new_up.start()

    for path in ("/", "/api/docs/", "/api/v1/products/", "/admin/login/"):
        assert new_up.answers(path), path
    logins = json.loads((new_up.state / "logins.json").read_text())
    token = httpx.post(f"{new_up.url}/api/v1/auth/token/", json=logins["customer"])
    assert token.status_code == 200
    assert logins["staff"]["password"] in new_up.said()
    for secret in ("logins.json", "server.env", "supervisord.conf"):
        assert stat.S_IMODE((new_up.state / secret).stat().st_mode) == 0o600
    products = product_count(new_up)
    assert int(products) >= 80
    assert purchase(new_up)["status"] == "placed"
    assert new_up.stop() < 10
    assert new_up.child is not None
    assert new_up.child.returncode == 0
    assert new_up.processes() == []

    new_up.start()

    assert "demo" not in new_up.said()
    assert "Migrating" not in new_up.said()
    assert product_count(new_up) == products
    assert json.loads((new_up.state / "logins.json").read_text()) == logins
    assert new_up.stop(signal.SIGINT) < 10
    assert new_up.processes() == []


def test_a_killed_child_comes_back(up: Up) -> None:
    up.start()
    children = {
        "postgres": ("bin/postgres", "-D"),
        "valkey": ("valkey-server",),
        "web": ("gunicorn", "config.asgi"),
        "worker": ("celery", "worker"),
        "beat": ("celery", "beat"),
    }

    for words in children.values():
        killed = up.supervised(*words)
        killed.kill()
        up.wait_for(lambda killed=killed: not killed.is_running())
        up.wait_for(lambda words=words, killed=killed: is_back(up, words, killed))
        up.wait_for(up.answers)
    for words in (children["web"], children["worker"]):
        up.wait_for(lambda words=words: len(forked_by(up, words)) == 2)
        killed = forked_by(up, words)[0]
        killed.kill()
        up.wait_for(lambda killed=killed: not killed.is_running())
        up.wait_for(lambda words=words: len(forked_by(up, words)) == 2)
        up.wait_for(up.answers)

    assert up.stop() < 10
    assert up.processes() == []


def is_back(up: Up, words: tuple[str, ...], killed: psutil.Process) -> bool:
    try:
        return up.supervised(*words) != killed
    except (AssertionError, psutil.Error):
        return False


def forked_by(up: Up, words: tuple[str, ...]) -> list[psutil.Process]:
    try:
        children = up.supervised(*words).children()
        return [each for each in children if each.status() != psutil.STATUS_ZOMBIE]
    except (AssertionError, psutil.Error):
        return []


def test_a_killed_supervisor_stops_the_shop_with_the_reason(up: Up) -> None:
    up.start()

    up.supervisor().kill()

    assert up.child is not None
    assert up.child.wait(30) == 1
    assert "lavka: the supervisor ended (exit code -9)" in up.said()
    assert up.processes() == []


def test_a_start_cleans_up_after_a_killed_one(up: Up) -> None:
    up.start()
    supervisor = up.supervisor()
    assert up.child is not None
    up.child.kill()
    up.child.wait()
    supervisor.kill()
    assert up.answers("/healthz")

    up.start()

    assert "Stopped what an earlier start had left running." in up.said()
    assert up.answers()
    postmasters = [each for each in up.processes() if "bin/postgres" in " ".join(each.cmdline())]
    assert len(postmasters) == 1
    assert up.stop() < 10
    assert up.processes() == []


def test_a_shop_that_cannot_run_stops_with_the_end_of_its_log(up: Up) -> None:
    (up.state / "postgres" / "postgresql.conf").write_text("nonsense\n")

    refusal = up.refusal()

    assert refusal.startswith("lavka: postgres does not stay up, so everything was stopped.")
    assert "syntax error" in refusal
    assert "Traceback" not in refusal
    assert up.processes() == []


def test_two_clones_run_side_by_side(up: Up, new_up: Up) -> None:
    up.begin()
    new_up.start()
    up.wait_for(lambda: "The shop is open" in up.said())

    passwords = [json.loads((each.state / "logins.json").read_text()) for each in (up, new_up)]
    assert passwords[0] != passwords[1]
    assert up.stop() < 10
    assert new_up.answers()
    assert new_up.stop() < 10


def test_a_second_start_in_the_same_folder_is_refused(up: Up) -> None:
    up.start()

    refusal = up.refusal()

    assert refusal == (
        f"lavka: this shop runs already (process {up.child and up.child.pid}) at {up.url}; "
        "stop it first.\n"
    )
    assert up.answers()


def test_a_busy_port_is_named(new_up: Up) -> None:
    with socket.create_server(("127.0.0.1", new_up.port)):
        refusal = new_up.refusal()

    assert refusal == (
        f"lavka: port {new_up.port} is taken by another program; choose another one, "
        f"for example: PORT={new_up.port + 1} ./run.sh\n"
    )


def broken_as_file(up: Up) -> None:
    up.state.write_text("not a folder")


def broken_data(up: Up) -> None:
    (up.state / "postgres").mkdir(parents=True)
    (up.state / "postgres" / "junk").write_text("junk")


def older_data(up: Up) -> None:
    (up.state / "postgres").mkdir(parents=True)
    (up.state / "postgres" / "PG_VERSION").write_text("16\n")
    (up.state / "server.env").write_text("POSTGRES_PASSWORD=secret\n")


def lost_password(up: Up) -> None:
    (up.state / "postgres").mkdir(parents=True)
    (up.state / "postgres" / "PG_VERSION").write_text("18\n")


def log_as_file(up: Up) -> None:
    up.state.mkdir()
    (up.state / "log").write_text("")


def unreadable_variables(up: Up) -> None:
    up.state.mkdir()
    (up.state / "server.env").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (broken_as_file, "must be a folder, and a file is in its place"),
        (broken_data, "holds no PostgreSQL data; start over with ./run.sh --reset"),
        (older_data, "was made by PostgreSQL '16' and this shop brings 18"),
        (lost_password, "server.env is gone, and with it the password of the database"),
        (log_as_file, "must be a folder, and a file is in its place"),
        (unreadable_variables, "start over with ./run.sh --reset"),
    ],
)
def test_a_broken_folder_is_one_clear_sentence(
    new_up: Up, break_it: Callable[[Up], None], says: str
) -> None:
    break_it(new_up)

    refusal = new_up.refusal()

    assert says in refusal
    assert refusal.startswith("lavka: ")
    assert refusal.count("\n") == 1
    assert new_up.processes() == []


def test_a_server_elsewhere_that_does_not_answer_is_named(start_up: Callable[..., Up]) -> None:
    up = start_up(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT="1")

    refusal = up.refusal()

    assert refusal.startswith("lavka: PostgreSQL at 127.0.0.1:1 (POSTGRES_HOST) does not answer:")
    assert "Traceback" not in refusal
    assert up.processes() == []


def test_a_reset_never_touches_a_server_elsewhere(start_up: Callable[..., Up]) -> None:
    up = start_up(POSTGRES_HOST=os.environ["POSTGRES_HOST"])

    assert "--reset deletes the data under .lavka/ only" in up.refusal("--reset")


def test_a_reset_starts_over(new_up: Up) -> None:
    broken_data(new_up)
    (new_up.state / "of-somebody-else").write_text("stays")

    new_up.start("--reset")

    assert new_up.answers()
    assert (new_up.state / "of-somebody-else").read_text() == "stays"
    assert new_up.stop() < 10


def test_a_command_borrows_the_servers_when_nothing_runs(new_up: Up) -> None:
    migrated = new_up.lavka("manage", "migrate", "--verbosity", "0")

    assert migrated.returncode == 0, migrated.stderr
    assert new_up.processes() == []
    assert product_count(new_up) == "0"
    assert new_up.lavka("manage", "no-such-command").returncode == 1


def purchase(up: Up) -> dict[str, Any]:
    """Buy what stands first, as a passer-by with the sandbox's card; the order."""
    with httpx.Client(base_url=f"{up.url}/api/v1", timeout=30) as client:
        card = client.get("/products/", params={"in_stock": "true"}).json()["items"][0]
        variants = client.get(f"/products/{card['slug']}/").json()["variants"]
        variant = next(each["id"] for each in variants if each["in_stock"])
        cart = f"/carts/{client.post('/carts/', json={}).json()['id']}"
        client.post(f"{cart}/lines/", json={"variant_id": variant, "quantity": 1})
        client.put(f"{cart}/addresses/", json=ADDRESSES)
        option = client.get(f"{cart}/shipping-options/").json()["items"][0]["id"]
        client.put(f"{cart}/shipping-option/", json={"id": option})
        quote = client.post(f"{cart}/quote/").json()["id"]
        answer = client.post(
            f"{cart}/checkout/",
            json={"quote_id": quote, "payment": {"method": "sandbox", "token": "success"}},
            headers={"Idempotency-Key": quote},
        )
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["order"])

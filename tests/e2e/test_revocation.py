"""Two processes of one shop: a session that one of them ends is refused by the other."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil
import pytest

from tests.e2e.shop import Shop

PASSWORD = "correct horse battery"
# Two seconds are the promise; a busy machine gets more before this is called broken.
PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("revocation"), workers=0, web_workers=2) as running:
        yield running


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def clients(shop: Shop) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """A kept connection to each of the two workers: while one is stopped the other accepts."""
    with ExitStack() as stack:
        made = []
        first, second = (child.pid for child in psutil.Process(shop.web.pid).children())
        for other in (second, first):
            client = stack.enter_context(httpx.Client(base_url=f"{shop.base_url}/api/v1"))
            with stopped(other):
                assert client.get("/shelves/").status_code == 404
            made.append(client)
        yield made[0], made[1]


def sign_in(client: httpx.Client, email: str) -> tuple[dict[str, str], dict[str, str]]:
    """A new customer's pair, and the header that carries the access token."""
    body = {"email": email, "password": PASSWORD}
    assert client.post("/auth/register/", json=body).status_code == 201
    pair = client.post("/auth/token/", json=body).json()
    return pair, {"Authorization": f"Bearer {pair['access']}"}


def refuses_soon(client: httpx.Client, token: dict[str, str]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (status := client.get("/me/", headers=token).status_code) == 200:
        if time.monotonic() > deadline:
            return False
    return status == 401


def test_what_one_worker_ends_the_other_refuses(clients: tuple[httpx.Client, httpx.Client]):
    here, there = clients
    pair, token = sign_in(here, "ada@example.com")
    _, other = sign_in(there, "bob@example.com")
    assert there.get("/me/", headers=token).status_code == 200

    assert here.post("/auth/logout/", json={"refresh": pair["refresh"]}).status_code == 204

    assert refuses_soon(there, token)
    assert there.post("/me/addresses/", json={}, headers=token).status_code == 401
    assert [each.get("/me/", headers=other).status_code for each in clients] == [200, 200]


def test_what_ends_while_nobody_can_be_told_is_refused_too(
    shop: Shop, clients: tuple[httpx.Client, httpx.Client]
):
    here, there = clients
    pair, token = sign_in(here, "eve@example.com")
    assert there.get("/me/", headers=token).status_code == 200

    with shop.connect(shop.database) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'lavka listener'"
        )
    assert here.post("/auth/logout/", json={"refresh": pair["refresh"]}).status_code == 204

    assert refuses_soon(there, token)

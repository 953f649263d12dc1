"""A worker that is told to stop finishes what it has begun."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.containers.front import Backend

PATIENCE_SECONDS = 30


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """One worker, with views that speak by files in `tmp_path`."""
    backend = Backend(
        tmp_path, "tests.web.server:application", PROBE_FOLDER=str(tmp_path), LAVKA_THROTTLES="off"
    )
    yield backend
    (tmp_path / "may end").touch()
    if backend.process.child.poll() is None:
        backend.process.stop()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.01)


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGHUP], ids=["stop", "reload"])
def test_a_write_that_has_begun_is_finished_and_answered(backend: Backend, tmp_path, order):
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(
            httpx.post, f"{backend.url}/api/v1/slow/", json={}, timeout=PATIENCE_SECONDS
        )
        wait_for(tmp_path / "begun")

        backend.process.child.send_signal(order)
        (tmp_path / "may end").touch()

        assert answer.result().status_code == 201
    if order is signal.SIGHUP:
        assert httpx.get(f"{backend.url}/healthz").status_code == 200


def test_a_write_whose_client_is_gone_is_finished_before_the_process_ends(
    backend: Backend, tmp_path
):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{backend.url}/api/v1/slow/", json={}, timeout=1)
    wait_for(tmp_path / "begun")

    backend.process.child.send_signal(signal.SIGTERM)
    (tmp_path / "may end").touch()

    assert backend.process.child.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "ended").exists()

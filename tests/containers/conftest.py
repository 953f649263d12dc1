"""One nginx and one backend for all the tests that only ask."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.containers.front import PROJECT, Backend, Front


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend that tells what reached it."""
    backend = Backend(tmp_path_factory.mktemp("echo"), "tests.containers.echo:application")
    yield backend
    backend.process.stop()


@pytest.fixture(scope="session")
def front(echo: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx with the shop's static files, a picture, and the echo behind it."""
    folder = tmp_path_factory.mktemp("front")
    (folder / "media").mkdir()
    (folder / "media" / "kettle.png").write_bytes(b"\x89PNG")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"],
        check=True,
        cwd=PROJECT,
        env={**os.environ, "STATIC_ROOT": str(folder / "static")},
    )
    nginx = Front(folder, echo.port)
    yield nginx
    nginx.process.stop()


@pytest.fixture
def client(front: Front) -> Iterator[httpx.Client]:
    """A client that comes through nginx."""
    with httpx.Client(base_url=front.url) as client:
        yield client

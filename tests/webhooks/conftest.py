"""Settings of these tests, and who listens in them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.imports.web_server import Web, web_server


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    """The receivers are on this machine, and all tests come from one address."""
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False, "WEBHOOKS_ALLOW_PRIVATE": True}


@pytest.fixture
def web() -> Iterator[Web]:
    """A receiver that takes what comes to `/hooks`."""
    with web_server() as web:
        web.show("/hooks", b"thanks")
        yield web

"""The schema that the shop serves, and what it writes into its security log."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from lavka.kernel import security_log
from tests.contract.test_promises import OPENAPI


@pytest.fixture
def schema() -> dict[str, Any]:
    """The committed OpenAPI document."""
    loaded: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
    return loaded


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the shop's own configuration writes of the security log, line by line."""
    stream, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(stream)
    handler.setFormatter(security_log.SecurityLine())
    security_log.logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    security_log.logger.removeHandler(handler)

"""The schema that the shop serves."""

from typing import Any

import pytest
import yaml

from tests.contract.test_promises import OPENAPI


@pytest.fixture
def schema() -> dict[str, Any]:
    """The committed OpenAPI document."""
    loaded: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
    return loaded

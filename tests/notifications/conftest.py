"""Settings of these tests."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    """All tests come from one address, so limits are switched on only where they are tested."""
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}

"""Tests of the web room run on their own small views."""

import uuid

import pytest

from lavka.web import limits


@pytest.fixture(autouse=True)
def _probe(settings: pytest.FixtureRequest) -> None:
    settings.ROOT_URLCONF = "tests.web.probe"


@pytest.fixture
def fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets that no other test has drawn from."""
    own = uuid.uuid4().hex
    address_of = limits.address_of
    monkeypatch.setattr(limits, "address_of", lambda request: f"{own}-{address_of(request)}")

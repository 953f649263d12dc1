import time

import pytest

from lavka.web import limits
from tests.client import Api

pytestmark = pytest.mark.usefixtures("fresh_limits")


@pytest.fixture
def _valkey_is_away(settings, monkeypatch):
    monkeypatch.setattr(limits, "_clients", type(limits._clients)())
    settings.LAVKA = settings.LAVKA | {"VALKEY_URL": "redis://127.0.0.1:1/0"}


def test_an_allowance_is_told_and_ends_with_429(api: Api):
    first, second, third = (api.post("/write/", {}) for _ in range(3))

    assert first["RateLimit-Policy"] == '"probe";q=2;w=60'
    assert first["RateLimit"] == '"probe";r=1;t=30'
    assert second["RateLimit"] == '"probe";r=0;t=60'
    assert third.status_code == 429
    assert third.json()["code"] == "too_many_requests"
    assert 29 <= int(third["Retry-After"]) <= 30


def test_limits_are_off_for_a_load_test(api: Api, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}

    answers = [api.post("/write/", {}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert "RateLimit" not in answers[0]


@pytest.mark.usefixtures("_valkey_is_away")
def test_without_valkey_writes_go_on_and_guesses_do_not(api: Api):
    refused = api.post("/guess/", {})

    assert api.get("/notes/").status_code == 200
    assert api.post("/write/", {}).status_code == 200
    assert refused.status_code == 503
    assert refused.json()["code"] == "unavailable"
    assert refused["Retry-After"] == "2"


def test_a_clock_set_back_keeps_nobody_out(api: Api, monkeypatch):
    used_up = [api.post("/write/", {}).status_code for _ in range(3)]
    hour_ago = time.time() - 3600
    monkeypatch.setattr(limits.time, "time", lambda: hour_ago)

    answers = [api.post("/write/", {}).status_code for _ in range(3)]

    assert used_up == answers == [200, 200, 429]

import copy

import pytest
from django.core.checks import run_checks
from django.db import connections

from lavka.web import checks


def ids(found) -> list[str]:
    return [error.id for error in found]


def test_the_shop_as_it_is_keeps_to_the_event_loop():
    assert checks.check_fast_lane() == []
    assert "lavka.E051" not in ids(run_checks())


@pytest.mark.parametrize(
    "path",
    [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "tests.web.test_checks.sync_only",
    ],
)
def test_middleware_that_would_hop_is_refused_by_name(settings, path):
    settings.FAST_LANE_MIDDLEWARE = [*settings.FAST_LANE_MIDDLEWARE, path]

    refused = checks.check_fast_lane()

    assert ids(refused) == ["lavka.E051"]
    assert path in refused[0].msg


def sync_only(get_response):
    def middleware(request):
        return get_response(request)

    return middleware


def test_a_sync_view_on_the_lane_is_refused(settings):
    settings.ROOT_URLCONF = "tests.web.sync_urls"

    refused = checks.check_fast_lane()

    assert ids(refused) == ["lavka.E052", "lavka.E053"]
    assert "/api/v1/sync/" in refused[0].msg
    assert "/api/v1/throttled/" in refused[1].msg


def test_a_transaction_around_every_request_is_refused(monkeypatch):
    changed = copy.deepcopy(connections.settings)
    changed["default"]["ATOMIC_REQUESTS"] = True
    monkeypatch.setattr(connections, "settings", changed)

    assert ids(checks.check_fast_lane()) == ["lavka.E054"]


def test_more_threads_than_connections_are_refused(settings):
    settings.WORKER_THREADS = 41

    assert ids(checks.check_fast_lane()) == ["lavka.E055"]

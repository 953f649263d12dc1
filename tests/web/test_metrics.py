import struct
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from lavka.cli.ports import LOOPBACK
from lavka.kernel.models import OutboxEvent
from lavka.web import metrics
from lavka.web.handler import FastLane
from tests.containers.front import Backend
from tests.web.asgi import Client

ID = "019a0000-0000-7000-8000-000000000001"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/api/v1/notes/", ("api/v1/notes/", "GET", "200")),
        ("BREW", "/api/v1/notes/", ("api/v1/notes/", "other", "405")),
        ("GET", "/api/v1/whatever/", ("api/<path:rest>", "GET", "404")),
    ],
)
async def test_requests_are_counted_by_route_and_not_by_path(method, path, labels):
    named = dict(zip(("route", "method", "status"), labels, strict=True))
    before = value("lavka_request_seconds_count", **named)

    await Client(method, path).ask(FastLane())

    assert value("lavka_request_seconds_count", **named) == before + 1


@pytest.mark.django_db
def test_the_page_tells_of_requests_pools_and_the_outbox(api):
    OutboxEvent.objects.create(name="probe", aggregate=ID, payload={})
    api.get("/notes/")

    page = api.client.get("/metrics")

    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/plain")
    lines = page.content.decode().splitlines()
    assert "lavka_outbox_waiting 1.0" in lines
    for start in (
        "lavka_request_seconds_bucket{",
        'lavka_pool{pool="read",what="requests_waiting"}',
        'lavka_pool{pool="write",what="pool_size"}',
        "lavka_outbox_lag_seconds ",
        "lavka_hot_answers_total{",
    ):
        assert any(line.startswith(start) for line in lines), start


@pytest.mark.usefixtures("read_pool")
async def test_without_a_database_it_tells_the_rest(settings, monkeypatch):
    settings.READ_WAIT_SECONDS = 0.05
    monkeypatch.setattr(
        metrics.database, "connection_parameters", lambda: {"host": LOOPBACK, "port": 1}
    )

    client = await Client("GET", "/metrics").ask(FastLane())

    assert client.status == 200
    assert b"lavka_outbox_lag_seconds NaN" in client.body
    assert b"lavka_request_seconds_bucket" in client.body


@pytest.fixture
def served(tmp_path: Path):
    backend = Backend(tmp_path, "tests.web.server:application", workers=2)
    yield backend
    backend.process.stop()


def test_the_workers_of_a_gunicorn_are_added_up(served: Backend):
    with httpx.Client(base_url=served.url, headers={"Connection": "close"}) as client:
        for _ in range(20):
            assert client.get("/api/v1/notes/").status_code == 200
        page = client.get("/metrics").text

    counted = [line for line in page.splitlines() if is_count_of_notes(line)]
    assert [float(line.rpartition(" ")[2]) for line in counted] == [20.0]


def is_count_of_notes(line: str) -> bool:
    return line.startswith("lavka_request_seconds_count{") and 'route="api/v1/notes/"' in line


def test_a_file_that_a_worker_has_only_just_opened_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_1.db").touch()

    assert list(metrics.Workers(CollectorRegistry()).collect()) == []
    with pytest.raises(struct.error):  # else the library has mended it
        list(MultiProcessCollector(CollectorRegistry()).collect())

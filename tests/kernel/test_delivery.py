"""A real worker on each broker: no message that it cannot deal with is just gone."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from lavka.kernel import broker, queues
from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Process, Shop
from tests.faults.proxy import Cable

PATIENCE_SECONDS = 40


class Working:
    """A shop's worker that knows the tasks of `failing.py`, and a way to send it messages."""

    def __init__(self, shop: Shop, broker_url: str) -> None:
        self.shop, self.is_rabbitmq = shop, broker_url.startswith("amqp")
        self.sender = Celery(broker=broker_url, set_as_current=False)

    def send(self, task: str, task_id: str, **arguments: Any) -> None:
        self.sender.send_task(
            task, kwargs=arguments, task_id=task_id, exchange="lavka", routing_key="default"
        )

    def letters(self) -> dict[str, str]:
        return dict(self.shop.query("SELECT task_id, reason FROM kernel_deadletter"))

    def has_noted(self, subject: str) -> bool:
        found = self.shop.query(f"SELECT FROM kernel_driftreport WHERE subject = '{subject}'")
        return bool(found)


def wait_until(true: Any, worker: Process) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert not worker.has_ended(), worker.tail()
        assert time.monotonic() < deadline, worker.tail()
        time.sleep(0.1)


@pytest.fixture(scope="module", params=["rabbitmq", "valkey"])
def working(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Working]:
    folder = tmp_path_factory.mktemp("delivery")
    if request.param == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        shop = Shop(folder, broker=node.variables, workers=1, web_workers=1)
        url = f"amqp://{node.user}:{node.password}@{node.host}:{node.port}//"
    else:
        shop = Shop(folder, workers=1, web_workers=1)
        url = shop.environment["VALKEY_URL"]
    shop.workers[0].command[3] = "tests.kernel.failing"
    with shop:
        yield Working(shop, url)


def test_what_always_fails_is_filed_after_its_retries_and_the_rest_flows_on(working: Working):
    worker = working.shop.workers[0]
    working.send("tests.fail", "failing", note="a")
    for number in range(20):
        working.send("tests.note", f"note-{number}", note=str(number))

    wait_until(lambda: working.letters().get("failing") == "failed", worker)

    tried = working.shop.query("SELECT FROM kernel_driftreport WHERE subject = 'tried a'")
    assert len(tried) == 2
    assert all(working.has_noted(f"done {number}") for number in range(20))


def test_what_hangs_is_cut_off_and_filed(working: Working):
    working.send("tests.hang", "hanging", note="b")

    wait_until(lambda: working.letters().get("hanging") == "timed_out", working.shop.workers[0])


def test_what_nobody_knows_is_filed(working: Working):
    working.send("tests.of_a_newer_version", "unknown", note="c")

    wait_until(lambda: working.letters().get("unknown") == "unknown", working.shop.workers[0])

    ((arguments,),) = working.shop.query(
        "SELECT arguments FROM kernel_deadletter WHERE task_id = 'unknown'"
    )
    assert arguments == {"note": "c"}


def test_what_takes_its_process_down_is_given_up(working: Working):
    working.send("tests.crash", "crashing", note="d")

    wait_until(lambda: working.letters().get("crashing") == "crashed", working.shop.workers[0])


def test_a_replayed_letter_runs_and_is_gone(working: Working):
    working.send("tests.fail", "mendable", note="e")
    worker = working.shop.workers[0]
    wait_until(lambda: "mendable" in working.letters(), worker)
    working.shop.manage(
        "shell",
        "-c",
        "from lavka.kernel.models import DriftReport\n"
        "DriftReport.objects.create(subject='mended e', checked=0, drifted=0)",
    )

    working.shop.manage("events", "dead-letter", "replay", "--task", "tests.fail")

    wait_until(lambda: working.has_noted("done e"), worker)
    assert "mendable" not in working.letters()


def served(working: Working) -> list[tuple[str, int]]:
    return working.shop.query(
        "SELECT subject, checked FROM kernel_driftreport WHERE starts_with(subject, 'served ')"
    )


def note_connections(working: Working) -> list[tuple[str, int]]:
    """Which process of PostgreSQL served which of the worker, for twelve more tasks."""
    before = served(working)
    for _ in range(12):
        working.send("tests.note_connection", str(uuid4()))
    worker = working.shop.workers[0]
    wait_until(lambda: len(served(working)) == len(before) + 12, worker)
    return served(working)[len(before) :]


def test_a_connection_serves_task_after_task(working: Working):
    pairs = note_connections(working)

    assert len(set(pairs)) == len({process for process, _ in pairs})


def test_a_connection_that_was_cut_is_replaced_before_a_task_sees_it(working: Working):
    cut = {connection for _, connection in note_connections(working)}
    working.shop.query("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", list(cut))

    pairs = note_connections(working)

    assert not cut & {connection for _, connection in pairs}
    assert "Retry" not in working.shop.workers[0].tail()


def test_a_connection_that_is_in_the_middle_of_a_query_serves_no_other_task(working: Working):
    working.send("tests.hang_in_query", "querying", note="f")
    wait_until(lambda: "querying" in working.letters(), working.shop.workers[0])
    busy = {
        pid
        for (pid,) in working.shop.query(
            # The server process that the cut-off task has left at work.
            "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
        )
    }

    pairs = note_connections(working)

    assert len(busy) == 1
    assert not busy & {connection for _, connection in pairs}


@pytest.fixture
def cable(rabbitmq: RabbitMQ) -> Iterator[Cable]:
    cable = Cable(rabbitmq.port)
    cable.start()
    yield cable
    cable.cut.clear()
    cable.stop()


@pytest.mark.timeout(60, method="thread")
def test_a_message_over_a_dead_line_is_given_up(rabbitmq: RabbitMQ, cable: Cable):
    hasty = {
        name: 0.5 if name.endswith("_timeout") else value
        for name, value in queues.AMQP_OPTIONS.items()
    }
    url = f"amqp://{rabbitmq.user}:{rabbitmq.password}@{rabbitmq.host}:{cable.port}//"
    with Celery(broker=url, set_as_current=False) as sender:
        sender.conf.broker_transport_options = hasty
        sender.send_task("tests.note", kwargs={"note": "before"})

        cable.cut.set()

        with pytest.raises(broker.FAULTS):
            sender.send_task("tests.note", kwargs={"note": "lost"}, retry=False)
        cable.cut.clear()
        sender.send_task("tests.note", kwargs={"note": "after"})

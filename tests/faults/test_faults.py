"""Each test breaks one thing under load, mends it, and balances the books.

All of them are in this file, so that they share one shop also when the tests run in parallel.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from celery import Celery

from tests.faults.conftest import Tell
from tests.faults.load import CUT, outcome_of
from tests.faults.world import World

pytestmark = pytest.mark.timeout(900)

NOTHING: set[str] = set()
UNAVAILABLE = {"503 unavailable", "409 request_in_progress"}
MOST_KILLS = 30
LOGIN = {"email": "buyer@example.com", "password": "a guess"}


def test_rabbitmq_is_stopped(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        world.broker.stop()
        time.sleep(seconds)
        load.wait_for_orders(1)
        world.broker.start()

    tell("RabbitMQ stopped", f"for {seconds:g} s, its data kept", load, allowed=NOTHING)


def test_rabbitmq_comes_back_without_its_data(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        world.broker.kill()
        shutil.rmtree(world.broker.folder / "mnesia")
        time.sleep(seconds)
        world.broker.start()

    how = f"kill -9, its data deleted, back after {seconds:g} s"
    tell("RabbitMQ wiped", how, load, allowed=NOTHING)


def test_rabbitmq_is_cut_off(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        world.cable.cut.set()
        time.sleep(seconds)
        load.wait_for_orders(1)
        world.cable.cut.clear()

    how = f"for {seconds:g} s no packet between shop and RabbitMQ arrives, and nobody is told"
    tell("RabbitMQ cut off", how, load, allowed=NOTHING)


def test_workers_are_killed(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        kills = repeat(world.restart_workers, for_seconds=seconds, every_seconds=5)
        world.wait_for_workers()

    how = f"kill -9 of all Celery processes and their relays, {kills} times, 5 s apart"
    tell("Workers killed", how, load, allowed=NOTHING, are_mails_doubled=True)


@pytest.mark.parametrize(
    ("task", "reason", "fault"),
    [
        ("faults.fail", "failed", "A task that always fails"),
        ("faults.hang", "timed_out", "A task that hangs"),
    ],
)
def test_a_task_never_succeeds(world: World, tell: Tell, task: str, reason: str, fault: str):
    broker = world.broker
    url = f"amqp://{broker.user}:{broker.password}@{broker.host}:{broker.port}//"
    letters = "SELECT reason FROM kernel_deadletter WHERE task = %s"
    with world.load() as load, Celery(broker=url, set_as_current=False) as sender:
        for note in ("first", "second"):
            sender.send_task(
                task,
                kwargs={"note": note},
                task_id=f"{task}-{note}",
                exchange="lavka",
                routing_key="default",
            )
        world.wait_until(lambda: world.shop.query(letters, task) == [(reason,)] * 2)
    world.shop.manage("events", "dead-letter", "drop", "--task", task)

    how = f"2 messages among the others: both became dead letters, `{reason}`"
    tell(fault, how, load, allowed=NOTHING)


@pytest.mark.parametrize(
    ("fault", "stop_signal"),
    [
        ("PostgreSQL restarted, `fast`", signal.SIGINT),
        ("PostgreSQL restarted, `immediate`", signal.SIGQUIT),
    ],
)
def test_postgresql_is_restarted(
    world: World, tell: Tell, seconds: float, fault: str, stop_signal: signal.Signals
):
    with world.load() as load:
        world.postgres.stop(stop_signal)
        time.sleep(seconds)
        world.postgres.start()

    tell(fault, f"away for {seconds:g} s", load, allowed=UNAVAILABLE)


def test_postgresql_cuts_its_connections(world: World, tell: Tell, seconds: float):
    with world.load() as load, world.shop.connect("postgres") as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        times = repeat(
            partial(connection.execute, cut, [world.shop.database]),
            for_seconds=seconds,
            every_seconds=1,
        )

    how = f"`pg_terminate_backend` of every connection, {times} times, 1 s apart"
    tell("PostgreSQL's connections cut", how, load, allowed=UNAVAILABLE)


def test_postgresqls_disk_is_full(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        world.volume.fill()
        world.wait_until(lambda: load.seen.troubles("write", "checkout", "review"))
        time.sleep(seconds)
        world.volume.clear()

    assert not load.seen.troubles("read")
    how = (
        f"not one block left for its tables for {seconds:g} s, then space; reads went on, and "
        "nothing was restarted or repaired"
    )
    tell("PostgreSQL's disk full", how, load, allowed=UNAVAILABLE)


def test_valkey_is_stopped(world: World, tell: Tell, seconds: float):
    url = f"{world.shop.base_url}/api/v1/auth/token/"
    with world.load() as load:
        world.valkey.stop()
        attempts = {outcome_of(httpx.post(url, json=LOGIN)) for _ in range(5)}
        time.sleep(seconds)
        load.wait_for_orders(1)
        world.valkey.start()
        after = outcome_of(httpx.post(url, json=LOGIN))

    assert attempts == {"503 unavailable"}
    assert after.startswith("401 ")
    how = f"for {seconds:g} s; who tries to sign in meanwhile is told `503 unavailable`"
    tell("Valkey stopped", how, load, allowed=NOTHING)


def test_web_workers_are_killed(world: World, tell: Tell, seconds: float):
    def kill_one() -> None:
        os.kill(children_of(world.shop.web.pid)[0], signal.SIGKILL)

    with world.load() as load:
        kills = repeat(kill_one, for_seconds=seconds, every_seconds=1)
        # Clients pause between their requests: a kill may find none under way.
        while not load.seen.troubles().keys() & CUT:
            assert kills < seconds + MOST_KILLS, "no kill ever cut a request"
            time.sleep(1)  # as far apart as the others: the next worker is to have some requests
            kill_one()
            kills += 1

    how = f"kill -9 of one of two workers in the middle of requests, {kills} times, 1 s apart"
    tell("Gunicorn's workers killed", how, load, allowed=UNAVAILABLE | CUT)


def test_web_workers_are_replaced(world: World, tell: Tell, seconds: float):
    def replace_all() -> None:
        before = set(children_of(world.shop.web.pid))
        os.kill(world.shop.web.pid, signal.SIGHUP)
        world.wait_until(lambda: not before & set(children_of(world.shop.web.pid)))

    with world.load() as load:
        times = repeat(replace_all, for_seconds=seconds, every_seconds=0)

    how = f"HUP to Gunicorn, {times} times: each time every worker was replaced"
    tell("Rolling restart", how, load, allowed=NOTHING)


def test_the_web_server_is_told_to_stop(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        status = world.shop.web.end(30)
        time.sleep(seconds)
        world.shop.web.start()

    assert status == 0
    how = f"to Gunicorn, started again {seconds:g} s later: what had begun was answered"
    tell("SIGTERM", how, load, allowed={"ConnectError"})


def test_the_clock_is_set_back(world: World, tell: Tell, seconds: float):
    with world.load() as load:
        world.set_clock_back(3600)
        time.sleep(seconds)
        load.wait_for_orders(1)
        world.set_clock_back(0)
    refused = world.receiver.refused.pop("Message timestamp too old", 0)

    how = (
        f"by an hour in web server, workers and beat for {seconds:g} s; a token from before is of "
        f"the future then, and its holder is asked to sign in again; {refused} webhooks were "
        "refused as too old, and sent again"
    )
    tell("Clock set back", how, load, allowed={"401 unauthenticated"})


@pytest.mark.parametrize(
    ("fault", "status", "delay_seconds"),
    [
        ("Receiver of webhooks answers 500", 500, 0.0),
        ("Receiver of webhooks is slow", 200, 3.0),
    ],
)
def test_a_receiver_misbehaves(
    world: World, tell: Tell, seconds: float, fault: str, status: int, delay_seconds: float
):
    receiver = world.receiver
    receiver.statuses.clear()
    with world.load() as load:
        receiver.status, receiver.delay_seconds = status, delay_seconds
        time.sleep(seconds)
        receiver.status, receiver.delay_seconds = 200, 0.0

    how = f"for {seconds:g} s, each time {status} after {delay_seconds:g} s"
    tell(fault, how, load, allowed=NOTHING)


def repeat(act: Callable[[], object], *, for_seconds: float, every_seconds: float) -> int:
    """Do it at once, and again until the time is over; returns how often."""
    times, ends = 0, time.monotonic() + for_seconds
    while times == 0 or time.monotonic() < ends:
        act()
        times += 1
        time.sleep(min(every_seconds, for_seconds))
    return times


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]

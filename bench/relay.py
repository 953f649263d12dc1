"""How many events a relay carries to the broker, and how late it is under a steady stream."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.ground import Ground
from lavka.cli.state import PROJECT
from lavka.cli.supervisor import script
from lavka.cli.trouble import Trouble, last_lines

BACKLOG = 20_000
RATE, STREAM_SECONDS, TICK_SECONDS = 500, 10, 0.05
PATIENCE_SECONDS = 120
LEAST_PER_SECOND, MOST_LAG_SECONDS = 2000, 1.0

_APPEND = """
INSERT INTO kernel_outboxevent (name, aggregate, payload)
SELECT 'catalog.brand_changed', id, jsonb_build_object('brand_id', id)
FROM (SELECT uuidv7() AS id FROM generate_series(1, %s)) AS brands
"""
_LEFT = """
SELECT (SELECT count(*) FROM kernel_outboxevent) + (SELECT
    coalesce(max(position) FILTER (WHERE reader = 'recorded'), 0)
    - coalesce(max(position) FILTER (WHERE reader = 'relayed'), 0) FROM kernel_bookmark)
"""
# The oldest event that no broker has confirmed.
_LAG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - least(
    (SELECT min(occurred_at) FROM kernel_outboxevent),
    (SELECT occurred_at FROM kernel_recordedevent WHERE position >
        (SELECT position FROM kernel_bookmark WHERE reader = 'relayed')
     ORDER BY position LIMIT 1))), 0)::float8
"""

type Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Relayed:
    """A backlog's events per second, and the lags under the stream, sorted."""

    broker: str
    per_second: float
    lags: list[float]

    @property
    def p99_seconds(self) -> float:
        """The lag that one sample in a hundred exceeds."""
        return self.lags[int(len(self.lags) * 0.99) - 1]

    def missed(self) -> list[str]:
        """One line for each target that was missed."""
        lines = []
        if self.per_second < LEAST_PER_SECOND:
            lines.append(f"relay: {self.per_second:.0f} events/s, at least {LEAST_PER_SECOND}")
        if self.lags[-1] >= MOST_LAG_SECONDS:
            lines.append(f"relay: {self.lags[-1]:.2f} s late, less than {MOST_LAG_SECONDS}")
        return lines


def measure_relay(ground: Ground, tell: Callable[[str], None]) -> Relayed:
    """Relay a backlog, then a stream; RabbitMQ when `RABBITMQ_HOST` says where, else Valkey."""
    rabbitmq = {name: value for name, value in os.environ.items() if name.startswith("RABBITMQ_")}
    variables = {**ground.variables, **rabbitmq}
    with ground.connect() as connection:
        try:
            connection.execute(_APPEND, [BACKLOG])
            with _relaying(variables, ground):
                tell(f"{BACKLOG:,} events wait")
                per_second = _drain(connection)
                tell(f"{RATE} events a second for {STREAM_SECONDS} seconds")
                lags = sorted(_stream(connection))
        finally:
            _purge(variables)
    return Relayed("RabbitMQ" if "RABBITMQ_HOST" in rabbitmq else "Valkey", per_second, lags)


def show_relay(relayed: Relayed, console: Console) -> None:
    """One line."""
    table = Table(title=f"The relay, to {relayed.broker}", title_justify="left")
    for name in ("events/s", f"at {RATE} events/s: lag p50 ms", "p99 ms", "most ms"):
        table.add_column(name, justify="right")
    median = relayed.lags[len(relayed.lags) // 2]
    lags = (median, relayed.p99_seconds, relayed.lags[-1])
    table.add_row(f"{relayed.per_second:,.0f}", *(f"{lag * 1000:.0f}" for lag in lags))
    console.print(table)


@contextmanager
def _relaying(variables: dict[str, str], ground: Ground) -> Iterator[None]:
    log = ground.log / "relay.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.relaying"],
            env=variables,
            cwd=PROJECT,
            stdout=output,
            stderr=output,
        )
        try:
            yield
            if child.poll() is not None:
                raise Trouble(f"the relay ended:{last_lines(log)}")
        finally:
            child.kill()
            child.wait()


def _drain(connection: Connection) -> float:
    """Events per second, from the first one that the broker has to the last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := _left(connection)) == BACKLOG and time.monotonic() < deadline:
        time.sleep(0.01)
    started, waited = time.monotonic(), left
    while (left := _left(connection)) and time.monotonic() < deadline:
        time.sleep(0.01)
    if left:
        raise Trouble(f"{left} events still wait after {PATIENCE_SECONDS} seconds")
    return waited / (time.monotonic() - started)


def _stream(connection: Connection) -> Iterator[float]:
    next_at = time.monotonic()
    for _ in range(int(STREAM_SECONDS / TICK_SECONDS)):
        connection.execute(_APPEND, [int(RATE * TICK_SECONDS)])
        next_at += TICK_SECONDS
        time.sleep(max(next_at - time.monotonic(), 0))
        yield float(_value(connection, _LAG))


def _left(connection: Connection) -> int:
    return int(_value(connection, _LEFT))


def _value(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - such a query has one row
    return row[0]


def _purge(variables: dict[str, str]) -> None:
    """Take back what lies in the queues: nobody is to work on it."""
    purge = [*script("celery"), "-A", "config", "purge", "--force"]
    subprocess.run(purge, env=variables, cwd=PROJECT, check=False, capture_output=True)

from bench.load import Outcome
from bench.soak import Growth, Soaked

FINE = Outcome(requests=9, seconds=1, p50_ms=1, p95_ms=1, p99_ms=1, errors=0)


def soaked(outcome: Outcome = FINE, **seen: list) -> Soaked:
    growth = Growth(**{"memory": [100.0, 118.0, 119.0], "connections": [8, 26, 9]} | seen)
    return Soaked("directly", 2, outcome, growth)


def test_a_worker_may_grow_while_its_hot_answers_fill():
    assert list(soaked().missed()) == []


def test_a_worker_that_still_grows_afterwards_is_named():
    (line,) = soaked(memory=[100.0, 118.0, 126.0]).missed()

    assert line == "directly: a worker grew 1.07 times"


def test_connections_beyond_the_pools_and_errors_are_named():
    broken = Outcome(requests=9, seconds=1, p50_ms=1, p95_ms=1, p99_ms=1, errors=2)

    assert list(soaked(broken, connections=[8, 27]).missed()) == [
        "directly: 2 errors, and none is wanted",
        "directly: 27 connections to PostgreSQL, at most 26",
    ]

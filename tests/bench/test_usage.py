import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.usage import cpu_seconds, worker_rss_mb

BURN = """
import time
while time.process_time() < 0.4: pass
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BURN!r} + sys.argv[1]], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
if sys.argv[1]:
    child.stdout.readline()
else:
    child.wait()
print("ready", flush=True)
sys.stdin.read()
child.stdin.close()
child.wait()
"""
STAYS = "print('burnt', flush=True); import sys; sys.stdin.read()"


@contextmanager
def parent_of(child: str) -> Iterator[int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout.readline() == b"ready\n"
        yield parent.pid
    finally:
        parent.communicate()


def test_the_time_of_a_living_child_counts():
    with parent_of(STAYS) as parent:
        assert cpu_seconds(parent) >= 0.39


def test_the_time_of_a_dead_child_counts():
    with parent_of("") as parent:
        assert cpu_seconds(parent) >= 0.39


def test_idle_time_costs_nothing():
    with parent_of(STAYS) as parent:
        before = cpu_seconds(parent)
        subprocess.run([sys.executable, "-c", BURN], check=True)

        assert cpu_seconds(parent) == before


def test_the_memory_is_that_of_a_worker():
    with parent_of(STAYS) as parent:
        assert 5 < worker_rss_mb(parent) < 100

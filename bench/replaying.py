"""The bare script, a process of it: sends a recorded purchase again and again over psycopg alone.

`python -m bench.replaying` reads a task, warms up, says that it is ready, waits for a line, and
prints what it has bought.
"""

import json
import sys
import uuid
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench.buying import Shelf, buy_for
from bench.statements import program_of
from bench.tracing import read


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to replay: `recorded` are the variants of the purchase that `trace` holds."""

    dsn: str
    trace: str
    recorded: list[str]
    variants: list[str]
    hot: str | None
    clients: int
    warm_up: float
    seconds: float

    def shelf(self) -> Shelf:
        """What is bought."""
        variants = [uuid.UUID(each) for each in self.variants]
        return Shelf(variants=variants, hot=uuid.UUID(self.hot) if self.hot else None)


def main() -> None:
    """Buy."""
    task = Task(**json.loads(sys.stdin.readline()))
    recorded = [uuid.UUID(each) for each in task.recorded]
    program, shelf = program_of(read(Path(task.trace)), recorded), task.shelf()
    with ExitStack() as stack:
        connections: list[psycopg.Connection[Any]] = [
            stack.enter_context(psycopg.connect(task.dsn)) for _each in range(task.clients)
        ]
        buyers = [partial(program.run, connection) for connection in connections]
        for seconds in (task.warm_up, task.seconds):
            sys.stdout.write(json.dumps(asdict(buy_for(seconds, shelf, buyers))) + "\n")
            sys.stdout.flush()
            # The benchmark says when to go on, and reads meanwhile what this process has used.
            sys.stdin.readline()


if __name__ == "__main__":
    main()

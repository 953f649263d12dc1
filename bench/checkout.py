"""Purchases over HTTP, beside the same statements sent by a bare psycopg script."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.table import Table

from bench.buying import Bought, Shelf, buy_for, closed, guest
from bench.contenders import LAVKA, Contender
from bench.ground import Ground
from bench.market import books_of, clear, stocked
from bench.replaying import Task
from bench.results import Results, Row, median_of
from bench.run import Pace, settle
from bench.serving import serving
from bench.statements import Program, program_of
from bench.tracing import read
from bench.usage import Usage, cpu_seconds, usage_of, worker_rss_mb
from lavka.cli.state import PROJECT
from lavka.cli.trouble import Trouble, last_lines

SPREAD, HOT = "checkout", "checkout_hot"
BUYERS = 8
TITLES = {SPREAD: "3 lines → paid order", HOT: "the same, one line always of one SKU"}
SCRIPT = "script"

type Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A purchase of `goods` as Lavka sent it, in `trace`."""

    goods: tuple[uuid.UUID, ...]
    trace: Path
    program: Program


def measure_checkout(ground: Ground, pace: Pace, tell: Tell) -> Results:
    """Let `pace.connections` guests buy of Lavka, then let as many connections do the same bare."""
    with stocked(ground) as shelf:
        recorded = _record(ground, shelf)
        tell(
            f"a purchase is 9 requests, {recorded.program.statements} statements, "
            f"{recorded.program.transactions} transactions"
        )
        return {
            SPREAD: _measure(ground, replace(shelf, hot=None), recorded, pace, tell),
            HOT: _measure(ground, shelf, recorded, pace, tell),
        }


def _measure(
    ground: Ground, shelf: Shelf, recorded: Recorded, pace: Pace, tell: Tell
) -> dict[str, Row]:
    """Both in turn, round after round."""
    rows: dict[str, list[Row]] = {LAVKA.name: [], SCRIPT: []}
    for number in range(pace.rounds):
        for contender, buy in ((LAVKA.name, _serve), (SCRIPT, _replay)):
            tell(f"{'hot' if shelf.hot else 'spread'}: {contender}, {number + 1}/{pace.rounds}")
            clear(ground)
            row, wrong = buy(ground, shelf, recorded, pace)
            rows[contender].append(row)
            for line in wrong[:5]:
                tell(f"wrong: {contender}: {line}")
    return {contender: median_of(each) for contender, each in rows.items()}


def show_checkout(results: Results, console: Console) -> None:
    """A table for each way of buying."""
    for name, rows in results.items():
        table = Table(title=f"{TITLES[name]}: orders", title_justify="left")
        table.add_column("")
        for column in (
            "orders/s",
            "p50 ms",
            "p95 ms",
            "errors",
            "app ms",
            "pg ms",
            "of the script",
        ):
            table.add_column(column, justify="right")
        for contender, row in rows.items():
            table.add_row(
                contender,
                f"{row.rps:.1f}",
                f"{row.p50_ms:.0f}",
                f"{row.p95_ms:.0f}",
                str(row.errors),
                f"{row.app_cpu_ms:.1f}",
                f"{row.pg_cpu_ms:.1f}",
                f"{row.rps / rows[SCRIPT].rps:.2f}" if rows[SCRIPT].rps else "",
            )
        console.print(table)


def _selling(contender: Contender) -> Contender:
    return replace(contender, variables={**contender.variables, "LAVKA_PAYMENT_METHODS": "sandbox"})


def _record(ground: Ground, shelf: Shelf) -> Recorded:
    """Have one purchase written down, after one that everything is loaded for."""
    trace = ground.log / "purchase.trace"
    recording = replace(
        LAVKA,
        application="bench.contenders.recorded:application",
        variables={**LAVKA.variables, "BENCH_TRACE": str(trace)},
    )
    goods = shelf.pick(Random(0))  # noqa: S311 - any three
    with serving(_selling(recording), ground, workers=1) as running:
        client, buy = guest(running.port)
        with closed([client]):
            buy(goods)
            trace.write_bytes(b"")
            buy(goods)
    return Recorded(goods=goods, trace=trace, program=program_of(read(trace), goods))


def _serve(ground: Ground, shelf: Shelf, _recorded: Recorded, pace: Pace) -> tuple[Row, list[str]]:
    with serving(_selling(LAVKA), ground, pace.workers) as running:
        guests = [guest(running.port) for _each in range(pace.connections)]
        with closed([client for client, _buy in guests]):
            buyers = [buy for _client, buy in guests]
            warmed = buy_for(pace.warm_up, shelf, buyers)
            settle(running, ground)
            before = usage_of(running.pid, ground.postmaster)
            bought = buy_for(pace.seconds, shelf, buyers)
            used = usage_of(running.pid, ground.postmaster).since(before)
        return _row(ground, warmed, bought, used, worker_rss_mb(running.pid))


def _replay(ground: Ground, shelf: Shelf, recorded: Recorded, pace: Pace) -> tuple[Row, list[str]]:
    log = ground.log / "script.log"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bench.replaying"],
                    cwd=PROJECT,
                    env={**ground.variables},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    text=True,
                )
            )
            for _each in range(pace.workers)
        ]
        for number, child in enumerate(children):
            share = len(range(number, pace.connections, pace.workers))
            _say(child, json.dumps(asdict(_task(ground, shelf, recorded, pace, share))))
        warmed = _sum(_hear(child, log) for child in children)
        pids = [child.pid for child in children]
        before = Usage(sum(map(cpu_seconds, pids)), cpu_seconds(ground.postmaster))
        for child in children:
            _say(child, "go")
        bought = _sum(_hear(child, log) for child in children)
        used = Usage(sum(map(cpu_seconds, pids)), cpu_seconds(ground.postmaster)).since(before)
        memory = worker_rss_mb(pids[0])
        for child in children:
            _say(child, "done")
    return _row(ground, warmed, bought, used, memory)


def _task(ground: Ground, shelf: Shelf, recorded: Recorded, pace: Pace, clients: int) -> Task:
    names = {
        "host": "POSTGRES_HOST",
        "port": "POSTGRES_PORT",
        "user": "POSTGRES_USER",
        "password": "POSTGRES_PASSWORD",
        "dbname": "POSTGRES_DB",
    }
    return Task(
        dsn=make_conninfo(**{name: ground.variables[each] for name, each in names.items()}),
        trace=str(recorded.trace),
        recorded=[str(each) for each in recorded.goods],
        variants=[str(each) for each in shelf.variants],
        hot=str(shelf.hot) if shelf.hot else None,
        clients=clients,
        warm_up=pace.warm_up,
        seconds=pace.seconds,
    )


def _say(child: "subprocess.Popen[str]", line: str) -> None:
    assert child.stdin is not None  # noqa: S101 - it was given a pipe
    child.stdin.write(line + "\n")
    child.stdin.flush()


def _hear(child: "subprocess.Popen[str]", log: Path) -> Bought:
    assert child.stdout is not None  # noqa: S101 - it was given a pipe
    line = child.stdout.readline()
    if not line:
        raise Trouble(f"the script ended:{last_lines(log)}")
    return Bought(**json.loads(line))


def _sum(parts: Iterable[Bought]) -> Bought:
    bought = Bought()
    for part in parts:
        bought.seconds += part.seconds
        bought.wrong += part.wrong
        bought.elapsed = max(bought.elapsed, part.elapsed)
    return bought


def _row(
    ground: Ground, warmed: Bought, bought: Bought, used: Usage, rss_mb: float
) -> tuple[Row, list[str]]:
    """The numbers, and what went wrong, in a purchase or in the books."""
    wrong = warmed.wrong + bought.wrong
    wrong += books_of(ground).wrong(len(warmed.seconds) + len(bought.seconds))
    count = max(1, len(bought.seconds))
    row = Row(
        rps=round(bought.per_second, 3),
        p50_ms=round(bought.quantile_ms(0.5), 3),
        p95_ms=round(bought.quantile_ms(0.95), 3),
        p99_ms=round(bought.quantile_ms(0.99), 3),
        errors=len(wrong),
        app_cpu_ms=round(used.app * 1000 / count, 3),
        pg_cpu_ms=round(used.postgres * 1000 / count, 3),
        rss_mb=round(rss_mb, 3),
    )
    return row, wrong

"""`lavka bench`: measures, prints, and keeps what it has measured."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import chart, machine, report, targets
from bench.checkout import BUYERS, measure_checkout, show_checkout
from bench.contenders import CONTENDERS, Contender
from bench.ground import Ground, prepared
from bench.growth import measure_growth, show_growth
from bench.load import require_wrk
from bench.relay import measure_relay, show_relay
from bench.results import Results, Row, write_json
from bench.run import Pace, check, lay_out, measure
from bench.scenarios import SCENARIOS
from bench.soak import measure_soak, show_soak

WIDTH = 130
console = Console(soft_wrap=True, width=WIDTH) if not sys.stdout.isatty() else Console()
FILE = click.Path(dir_okay=False, path_type=Path)


class Names(click.ParamType):
    """Names between commas, out of those that a registry has."""

    name = "a,b,…"

    def __init__(self, registry: Mapping[str, Any]) -> None:
        """Know the names."""
        self.registry = registry

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        """Split and check."""
        if isinstance(value, list):
            return value
        names = value.split(",")
        if unknown := [name for name in names if name not in self.registry]:
            self.fail(f"{unknown[0]!r} is none of {', '.join(self.registry)}", param, ctx)
        return names


class Sizes(click.ParamType):
    """Numbers of products between commas."""

    name = "n,n,…"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[int]:
        """Split and check."""
        if isinstance(value, list):
            return value
        sizes = value.split(",")
        if len(sizes) < 2 or not all(size.isdigit() and int(size) for size in sizes):
            self.fail("two or more numbers are expected, as in 1000,100000", param, ctx)
        return [int(size) for size in sizes]


@click.command()
@click.option("--quick", is_flag=True, help="4 seconds of load and one round.")
@click.option("--products", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1), help="Default: 3, with --quick 1.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--scenarios", type=Names(SCENARIOS), default=list(SCENARIOS), help="All, if none.")
@click.option(
    "--contenders", type=Names(CONTENDERS), default=list(CONTENDERS), help="All, if none."
)
@click.option("--json", "json_file", type=FILE, help="Where to write the numbers.")
@click.option("--svg", "svg_file", type=FILE, help="Where to draw the chart.")
@click.option("--check", "is_check", is_flag=True, help="Exit with 1 when a target is missed.")
@click.option("--growth", type=Sizes(), help="Measure Lavka alone, in shops of these sizes.")
@click.option("--soak", type=click.FloatRange(10), help="Load Lavka alone for so many seconds.")
@click.option("--relay", is_flag=True, help="Measure how events reach the broker, and end.")
@click.option("--checkout", is_flag=True, help="Measure purchases, and end.")
def main(  # noqa: PLR0913 - an option each
    *,
    quick: bool,
    products: int,
    rounds: int | None,
    workers: int,
    scenarios: list[str],
    contenders: list[str],
    json_file: Path | None,
    svg_file: Path | None,
    is_check: bool,
    growth: list[int] | None,
    soak: float | None,
    relay: bool,
    checkout: bool,
) -> None:
    """Measure Lavka beside its contenders on one PostgreSQL, with 100 connections of wrk."""
    pace = Pace(
        warm_up=1 if quick else 5,
        seconds=4 if quick else 30,
        rounds=rounds or (1 if quick else 3),
        workers=workers,
    )
    if not relay and not checkout:
        require_wrk()
    if growth:
        _finish(_measure_growth(growth, pace), is_check=is_check)
        return
    with prepared(products, workers=workers) as ground:
        if relay:
            missed = _measure_relay(ground)
        elif checkout:
            missed = _measure_checkout(ground, pace, json_file)
        elif soak:
            missed = _measure_soak(ground, pace, soak)
        else:
            part = [CONTENDERS[name] for name in contenders]
            missed = _compare(ground, pace, scenarios, part, (json_file, svg_file))
    _finish(missed, is_check=is_check)


def _compare(
    ground: Ground,
    pace: Pace,
    scenarios: list[str],
    part: list[Contender],
    files: tuple[Path | None, Path | None],
) -> list[str]:
    """Measure, show and keep every scenario of those who take part; returns what was missed."""
    described, (json_file, svg_file) = _described(ground), files
    courses = lay_out([SCENARIOS[name] for name in scenarios], ground, pace.workers)
    _tell(f"{check(part, courses, ground, pace.workers)} answers are those of Lavka")
    results: dict[str, dict[str, Row]] = {}
    for course in courses:
        name = course.scenario.name
        results[name] = measure(part, course, ground, pace, _tell)
        report.show(name, results[name], part, console)
        _keep(results, described, json_file)
    if svg_file:
        svg_file.write_text(chart.svg(results, machine.one_line(described).splitlines()[0]))
    return targets.missed(results)


def _measure_growth(sizes: list[int], pace: Pace) -> list[str]:
    grown = measure_growth(sizes, pace, _tell)
    show_growth(grown, console)
    return grown.missed()


def _measure_relay(ground: Ground) -> list[str]:
    relayed = measure_relay(ground, _tell)
    show_relay(relayed, console)
    return relayed.missed()


def _measure_soak(ground: Ground, pace: Pace, seconds: float) -> list[str]:
    _described(ground)
    soaked = measure_soak(ground, pace, seconds, _tell)
    show_soak(soaked, console)
    return [line for each in soaked for line in each.missed()]


def _measure_checkout(ground: Ground, pace: Pace, json_file: Path | None) -> list[str]:
    """Measure, show and keep purchases; returns what was missed."""
    described = _described(ground)
    bought = measure_checkout(ground, replace(pace, connections=BUYERS), _tell)
    show_checkout(bought, console)
    _keep(bought, described, json_file)
    return targets.missed(bought)


def _described(ground: Ground) -> dict[str, object]:
    """On what it is measured, printed and returned."""
    described = machine.description(ground, shlex.join(["lavka", "bench", *sys.argv[1:]]))
    console.print(machine.one_line(described), highlight=False)
    return described


def _keep(results: Results, described: dict[str, object], file: Path | None) -> None:
    if file:
        write_json(results, file)
        file.with_suffix(".machine.json").write_text(json.dumps(described, indent=2) + "\n")


def _tell(words: str) -> None:
    console.print(words, style="dim", highlight=False)


def _finish(missed: list[str], *, is_check: bool) -> None:
    for line in missed:
        console.print(f"missed: {line}", style="red", highlight=False)
    if is_check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="lavka bench")

import io
import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from rich.console import Console

from bench import chart, report, targets
from bench.__main__ import main
from bench.contenders import CONTENDERS
from bench.results import Row, median_of, write_json


def make_row(**numbers: float) -> Row:
    ordinary = {
        "rps": 100.0, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "errors": 0,
        "app_cpu_ms": 0.5, "pg_cpu_ms": 0.1, "rss_mb": 80.0,
    }  # fmt: skip
    return Row(**ordinary | numbers)


def test_a_result_is_the_median_of_its_rounds_with_the_errors_of_all():
    rounds = [make_row(rps=90, p99_ms=9, errors=1), make_row(rps=110), make_row(rps=400, errors=2)]

    assert median_of(rounds) == make_row(rps=110, errors=3)


def test_the_file_is_scenario_contender_numbers_and_nothing_else(tmp_path):
    write_json({"page": {"lavka": make_row()}}, tmp_path / "bench.json")

    assert json.loads((tmp_path / "bench.json").read_text()) == {
        "page": {
            "lavka": {
                "rps": 100.0, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "errors": 0,
                "app_cpu_ms": 0.5, "pg_cpu_ms": 0.1, "rss_mb": 80.0,
            }
        }
    }  # fmt: skip


def test_the_table_shows_ratios_and_dashes():
    console = Console(width=140, record=True, file=io.StringIO())

    rows = {"lavka": make_row(rps=3000), "recipe": make_row(rps=120)}
    report.show("page", rows, list(CONTENDERS.values()), console)

    lines = {
        line.split("│")[1].strip(): line
        for line in console.export_text().splitlines()
        if "│" in line
    }
    assert "25×" in lines["adrf, ModelSerializer"]
    assert lines["django-ninja"].count("–") == len(report.COLUMNS)


def test_the_chart_has_a_bar_for_each_row():
    results = {"page": {"lavka": make_row(rps=3000), "recipe": make_row(rps=150)}}

    drawn = ElementTree.fromstring(chart.svg(results, "2 cores & 4 GB"))

    bars = [each for each in drawn.iter("{http://www.w3.org/2000/svg}rect") if each.get("rx")]
    assert [float(bar.get("width")) for bar in bars] == [chart.LONGEST, chart.LONGEST / 20]


def test_missed_targets_are_named_with_what_was_measured():
    results = {
        "page": {
            "lavka": make_row(rps=3000, errors=1),
            "recipe": make_row(rps=200),
            "ninja": make_row(rps=1000),
        }
    }

    assert targets.missed(results) == [
        "page, times the recipe: 15.00, and 20 is wanted",
        "page: 1 errors of Lavka, and none is wanted",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenarios", "page,pgae"], "'pgae' is none of page, filtered"),
        (["--contenders", "rails"], "'rails' is none of lavka, recipe"),
        (["--growth", "1000"], "two or more numbers are expected"),
    ],
)
def test_an_unknown_name_is_refused(arguments, says):
    finished = CliRunner().invoke(main, arguments)

    assert finished.exit_code == 2
    assert says in finished.output

"""docs/security.md speaks of each requirement of ASVS 5.0.0 once, and of tests that exist."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from lavka.accounts.validators import GUESSED_WORDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs/security.md", ROOT / "SECURITY.md"]
STATUSES = {"met", "partly", "not", "n.a."}
# How many requirements of levels 1 and 2 each section has: they come before those of level 3.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4,
    "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2,
    "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1,
    "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip


def rows() -> list[list[str]]:
    """The cells of each row of the table: numbers, level, what, status, how, shown by."""
    lines = PAGES[0].read_text().splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| v5.0.0-")
    ]


def numbers(cell: str) -> list[str]:
    """The requirements that a row speaks of; a section stands for all that it has."""
    found = []
    for number in re.findall(r"v5\.0\.0-([0-9.]+)", cell):
        if number in SECTIONS:
            found += [f"{number}.{each}" for each in range(1, SECTIONS[number] + 1)]
        else:
            found.append(number)
    return found


@cache
def defined_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(named: str) -> bool:
    """Whether there is no such file, or no such test in it."""
    path, _, test = named.partition("::")
    return not (ROOT / path).is_file() or bool(test and test not in defined_in(ROOT / path))


def test_each_requirement_is_spoken_of_once():
    spoken_of = [number for row in rows() for number in numbers(row[0])]
    wanted = [f"{name}.{each}" for name, most in SECTIONS.items() for each in range(1, most + 1)]

    assert sorted(spoken_of) == sorted(wanted)


def test_each_row_is_whole():
    for row in rows():
        where, _, _, status, how, shown_by = row
        assert status in STATUSES, where
        assert how or status == "met", f"{where} does not say why"
        assert shown_by or status != "met", f"{where} is met, and nothing shows it"


def test_the_sum_is_the_tables():
    found = Counter(row[3] for row in rows() for _ in numbers(row[0]))
    told = (
        f"Of {found.total()} requirements {found['met']} are met, {found['partly']} partly, "
        f"{found['not']} not, and {found['n.a.']} ask about what there is not."
    )

    assert told in PAGES[0].read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_that_is_named_exists(page: Path):
    text = page.read_text()
    shown_by = {row[5].strip("`") for row in rows() if row[5]}
    named = shown_by | set(re.findall(r"`(tests/[^`]+)`", text))
    links = {
        (page.parent / path).resolve().relative_to(ROOT).as_posix()
        for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    }

    assert sorted(each for each in named | links if missing(each)) == []


def test_the_words_that_passwords_must_not_be_are_listed():
    (listed,) = re.findall(r"parts of its name and host, and \*([^*]+)\*", PAGES[0].read_text())

    assert set(re.split(r",\s+", listed)) == GUESSED_WORDS


def test_control_what_does_not_exist_is_missing():
    here = Path(__file__).relative_to(ROOT).as_posix()

    assert missing("tests/contract/test_nothing.py")
    assert missing(f"{here}::test_nothing")
    assert not missing(f"{here}::test_each_row_is_whole")

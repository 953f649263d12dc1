"""The option that replays a whole month, and a word about where its invoices came from."""

import pytest
from _pytest.terminal import TerminalReporter

MONTH = "--replay-month"
_told = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        MONTH, metavar="FILE", help="replay the whole month too, and write it into this page"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "span" in metafunc.fixturenames:
        is_long = metafunc.config.getoption(MONTH, default=None)
        metafunc.parametrize("span", ["day", "month"] if is_long else ["small day"])


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_told, []):
        terminalreporter.write_line(line)


def tell(config: pytest.Config, line: str) -> None:
    """Say something at the end of the tests."""
    config.stash.setdefault(_told, []).append(line)

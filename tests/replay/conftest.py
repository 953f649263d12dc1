"""The option that replays a whole month."""

import pytest

MONTH = "--replay-month"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        MONTH, metavar="FILE", help="replay the whole month too, and write it into this page"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "span" in metafunc.fixturenames:
        is_long = metafunc.config.getoption(MONTH, default=None)
        metafunc.parametrize("span", ["day", "month"] if is_long else ["small day"])

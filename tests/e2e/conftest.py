"""The option that posts all reviews of a data set, not the first of them."""

import pytest

ALL = "--all-reviews"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(ALL, action="store_true", help="post every review of the data set")

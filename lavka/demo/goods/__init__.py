"""The demo shop as text: products, makers, shelves, phrases and drawings, all invented."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def read(name: str) -> dict[str, Any]:
    """What the file `<name>.toml` says; not to be changed, it is read once."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text())


@cache
def products() -> list[dict[str, Any]]:
    """Every product, department by department."""
    files = sorted((_HERE / "products").glob("*.toml"))
    return [product for file in files for product in tomllib.loads(file.read_text())["product"]]


def department_of(category: str) -> str:
    """The slug of the shelf at the root above `category`."""
    categories = read("categories")
    while "parent" in categories[category]:
        category = categories[category]["parent"]
    return category

"""Reviews of clothes: the public data set in `LAVKA_DATA`, or as many made-up ones."""

import csv
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COLUMNS = {"Clothing ID", "Rating", "Title", "Review Text"}


@dataclass(frozen=True)
class ClothingReview:
    product: str
    rating: int
    title: str
    text: str


def clothing_reviews(made_up: int) -> tuple[str, list[ClothingReview]]:
    """Where they come from, and the reviews."""
    folder = os.environ.get("LAVKA_DATA", "")
    found = _file(Path(folder) / "womens-clothing-reviews") if folder else None
    if found is None:
        return "made up, for LAVKA_DATA has no womens-clothing-reviews", list(_made_up(made_up))
    with found.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return str(found), [
        ClothingReview(
            row["Clothing ID"], int(row["Rating"]), row["Title"][:200], row["Review Text"]
        )
        for row in rows
    ]


def _file(folder: Path) -> Path | None:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            if set(next(csv.reader(file), [])) >= COLUMNS:
                return path
    return None


def _made_up(number: int) -> Iterator[ClothingReview]:
    """Skewed like the real ones: a few products have very many, and most stars are five."""
    dice = random.Random(2026)
    for n in range(number):
        product = str(int(dice.paretovariate(0.6)) % 200)
        rating = dice.choices([1, 2, 3, 4, 5], [4, 7, 12, 21, 56])[0]
        yield ClothingReview(product, rating, f"Review {n}", "Fits well, the colour is true. " * 3)

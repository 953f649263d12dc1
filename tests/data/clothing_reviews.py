"""Reviews of clothes: the public data set in `LAVKA_DATA`, or as many made-up ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tests.data.files import made_up, name_of, real_table, rows_of

FOLDER, MADE_UP = "womens-clothing-reviews", 2500
COLUMNS = {"Clothing ID", "Rating", "Title", "Review Text"}


@dataclass(frozen=True)
class ClothingReview:
    product: str
    rating: int
    title: str
    text: str


def clothing_reviews(number: int | None = None) -> tuple[str, list[ClothingReview]]:
    """Where they come from, and the first so many reviews; all of the real ones without a number.

    Of made-up ones there are `MADE_UP`.
    """
    found = real_table(FOLDER, COLUMNS)
    if found is None:
        return made_up(FOLDER), list(_made_up(number or MADE_UP))
    reviews = (
        ClothingReview(
            row["Clothing ID"], int(row["Rating"]), row["Title"][:200], row["Review Text"]
        )
        for row in rows_of(found)
    )
    return name_of(found), list(islice(reviews, number))


def _made_up(number: int) -> Iterator[ClothingReview]:
    """Skewed like the real ones: a few products have very many, and most stars are five."""
    dice = random.Random(2026)
    for n in range(number):
        product = str(int(dice.paretovariate(0.6)) % 200)
        rating = dice.choices([1, 2, 3, 4, 5], [4, 7, 12, 21, 56])[0]
        yield ClothingReview(product, rating, f"Review {n}", "Fits well, the colour is true. " * 3)

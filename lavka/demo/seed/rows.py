"""Rows of the large shop as lines for COPY, a chunk of products at a time."""

import datetime
import math
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, product
from random import Random
from typing import Any

from lavka.demo import goods
from lavka.demo.gtin import restricted_gtin
from lavka.demo.seed.families import STATUSES, Family
from lavka.demo.seed.ids import CLOSED_MS, Kind, moment, seeded_id
from lavka.demo.seed.people import customer_id, prime_from

CHUNK = 5000
MAX_VARIANTS = 6
# Popularity falls with rank to this power: a few products have most of the reviews.
_SKEW = 0.8
_SLUG = str.maketrans({" ": "-", ",": None, ":": None})
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(kw_only=True)
class Chunk:
    """Lines for each table; `count` is the number of products."""

    count: int = 0
    products: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    votes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large the shop is; the same numbers give the same rows."""

    products: int
    reviews: int
    unit: int

    @property
    def customers(self) -> int:
        """Enough for the most reviewed product, and a prime, so that strides never meet."""
        most = int(self.reviews / _weight_of(self.products)) + 2 if self.products else 0
        return prime_from(max(97, self.reviews // 4, most))


class Rows:
    """Draws the shop product by product from one source of chance."""

    def __init__(
        self, plan: Plan, families: list[Family], shares: list[int], brands: list[tuple[str, str]]
    ) -> None:
        """`shares` of the families are added up; `brands` are ids with names."""
        self._plan, self._families, self._shares = plan, families, shares
        self._brands = brands
        self._chance = Random("seed")  # noqa: S311 - the same shop every time, nothing secret
        self._words = goods.read("seed")
        self._phrases = goods.read("phrases")["english"]
        self._profile_shares = list(accumulate(each[0] for each in self._words["stars"]))
        self._profiles = [list(accumulate(each[1:])) for each in self._words["stars"]]
        self._customers = plan.customers
        self._reviews_written = self._votes_cast = 0

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks in the order of products; memory holds one of them."""
        chunk = Chunk()
        for number, count in enumerate(self._review_counts()):
            self._draw_product(chunk, number, count)
            if chunk.count == CHUNK:
                yield chunk
                chunk = Chunk()
        if chunk.count:
            yield chunk

    def _review_counts(self) -> Iterator[int]:
        """Reviews of each product, in sum exactly those of the plan."""
        size, total = self._plan.products, self._plan.reviews
        stride = next(n for n in range(size * 5 // 8 + 1, size * 2 + 2) if math.gcd(n, size) == 1)
        whole, so_far, given = _weight_of(size), 0.0, 0
        for number in range(size):
            so_far += (number * stride % size + 1) ** -_SKEW
            upto = total if number == size - 1 else min(total, round(total * so_far / whole))
            yield upto - given
            given = upto

    def _draw_product(self, chunk: Chunk, number: int, reviews: int) -> None:
        chance = self._chance
        family = chance.choices(self._families, cum_weights=self._shares)[0]
        # Small makers are many, large ones few.
        brand_id, brand = self._brands[int(len(self._brands) * chance.random() ** 1.7)]
        at = moment(number, self._plan.products)
        product_id = seeded_id(Kind.PRODUCT, number, at)
        name = family.pattern.format(
            collection=self._one("collections"),
            style=_one_of(family.styles, chance),
            noun=_one_of(family.nouns, chance),
        )
        slug = f"{name}-{number:x}".lower().translate(_SLUG)
        summary = f"{self._one('intros')}, {self._one('middles')}."
        text = f"{name} by {brand}. {summary} {self._one('ends')}"
        attributes = ", ".join([draw(chance) for draw in family.attributes])
        status = STATUSES[int(chance.random() * len(STATUSES))] if not reviews else STATUSES[0]
        created_at = _timestamp(at)
        chunk.products.append(
            f"{product_id}\t{slug}\t{name}\t{text}\t{{{attributes}}}\t{status}\t"
            f"{name} by {brand}\t{summary}\t{created_at}\t{created_at}\t{brand_id}\t"
            f"{family.category_id}\t{family.type_id}\n"
        )
        chunk.count += 1
        self._draw_variants(chunk, family, number, product_id, at)
        if reviews:
            self._draw_reviews(chunk, product_id, at, reviews)

    def _draw_variants(
        self, chunk: Chunk, family: Family, number: int, product_id: str, at: int
    ) -> None:
        chance, unit = self._chance, self._plan.unit
        low, high = family.low, family.high
        price = int(low * (high / low) ** (chance.random() ** 1.6))
        amount = price * unit + unit * (90 if price < 50 else 0) // 100
        before = (
            str(amount + amount * (10 + int(chance.random() * 40)) // 100)
            if chance.random() < 0.18
            else r"\N"
        )
        weight = 60 + int(chance.random() ** 2 * 4000)
        for place, parts in enumerate(self._option_sets(family)):
            serial = number * MAX_VARIANTS + place
            chunk.variants.append(
                f"{seeded_id(Kind.VARIANT, serial, at)}\t{product_id}\t"
                f"S{number:07d}-{place + 1}\t{restricted_gtin(serial, prefix='21')}\t"
                f"{{{', '.join(parts)}}}\t{amount}\t{before}\t"
                # Most are sold without counting; the others are counted, and nothing is there.
                f"{'f' if chance.random() < 0.93 else 't'}\t{weight}\t{place}\n"
            )

    def _option_sets(self, family: Family) -> Iterator[tuple[str, ...]]:
        """Combinations of a few neighbouring choices of each option: 1 to 6 of them."""
        chance, left, chosen = self._chance, MAX_VARIANTS, []
        for option in family.options:
            parts = option.parts
            wanted = 1 + int(chance.random() * min(len(parts), left))
            start = int(chance.random() * len(parts))
            chosen.append([parts[(start + n) % len(parts)] for n in range(wanted)])
            left //= wanted
        return product(*chosen)

    def _draw_reviews(self, chunk: Chunk, product_id: str, at: int, count: int) -> None:
        chance, customers = self._chance, self._customers
        profile = chance.choices(self._profiles, cum_weights=self._profile_shares)[0]
        author = int(chance.random() * customers)
        stride = 1 + int(chance.random() * (customers - 1))
        for _ in range(count):
            author = (author + stride) % customers
            number = self._reviews_written
            self._reviews_written += 1
            review_id = seeded_id(Kind.REVIEW, number, moment(number, self._plan.reviews))
            rating = 1 + min(4, bisect(profile, chance.random() * profile[-1]))
            votes = min(12, int(chance.expovariate(0.9))) if chance.random() < 0.4 else 0
            written_at = _timestamp(at + int((CLOSED_MS - at) * chance.random()))
            chunk.reviews.append(
                f"{review_id}\t{product_id}\t{customer_id(author)}\t{rating}\t"
                f"{_one_of(self._phrases['titles'][str(rating)], chance)}\t{self._text(rating)}\t"
                f"published\t{votes}\t{written_at}\t{written_at}\n"
            )
            for place in range(votes):
                voter = customer_id((author + 1 + place) % customers)
                vote_id = seeded_id(Kind.VOTE, self._votes_cast, CLOSED_MS)
                self._votes_cast += 1
                chunk.votes.append(f"{vote_id}\t{review_id}\t{voter}\t{written_at}\n")

    def _text(self, rating: int) -> str:
        parts = [_one_of(self._phrases["openers"][str(rating)], self._chance)]
        if rating > 2:
            parts.append(self._one("praise"))
        if rating < 5:
            parts.append(self._one("gripes"))
        parts.append(_one_of(self._phrases["closers"][str(rating)], self._chance))
        return " ".join(filter(None, parts))

    def _one(self, words: str) -> str:
        return str(_one_of(self._words[words], self._chance))


def _one_of(values: Any, chance: Random) -> Any:
    return values[int(chance.random() * len(values))]


def _weight_of(size: int) -> float:
    return math.fsum((rank + 1) ** -_SKEW for rank in range(size))


def _timestamp(milliseconds: int) -> str:
    return (_EPOCH + datetime.timedelta(milliseconds=milliseconds)).isoformat()

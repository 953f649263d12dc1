"""The demo's reviews: written one by one as customers would, so that everything follows."""

import datetime
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import transaction

from lavka.accounts.models import User
from lavka.catalog.models import Product
from lavka.catalog.rules import slug_from
from lavka.demo import goods
from lavka.reviews import services as reviews
from lavka.reviews.models import HelpfulVote, Review

REVIEWS = 300
_USUAL_STARS = 4.4


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """A review that is to be written, when, and how many find it helpful."""

    product: Product
    author: User
    rating: int
    title: str
    text: str
    written_at: datetime.datetime
    helpful: int


def planned_reviews(customers: list[User], *, at: datetime.datetime) -> list[Opinion]:
    """The reviews that are not there yet, oldest first: the same customers give the same ones.

    Each was written between the day its product came to the shop and `at`.
    """
    products = {
        product.slug: product
        for product in Product.objects.published(at).filter(
            slug__in=[slug_from(said["name"]) for said in goods.products()]
        )
    }
    done = set(
        Review.objects.filter(product__in=products.values(), author__in=customers).values_list(
            "product", "author"
        )
    )
    opinions = [
        opinion
        for opinion in _opinions(customers, products, at)
        if (opinion.product.pk, opinion.author.pk) not in done
    ]
    return sorted(opinions, key=lambda each: each.written_at)


def _opinions(
    customers: list[User], products: Mapping[str, Product], at: datetime.datetime
) -> list[Opinion]:
    """All reviews of the demo's products that are there, in a fixed order."""
    chance = Random("reviews")  # noqa: S311 - the same reviews every time, nothing secret
    opinions: list[Opinion] = []
    for said, count in _counts(chance):
        product = products.get(slug_from(said["name"]))
        used: set[str] = set()
        for author in chance.sample(customers, count):
            rating = _stars(said.get("stars", _USUAL_STARS), chance)
            title, text = _words(said, author, rating, used, chance)
            used.update({title, text})
            age, helpful = chance.random(), min(9, int(chance.expovariate(0.9)))
            if product is not None:
                opinions.append(
                    Opinion(
                        product=product,
                        author=author,
                        rating=rating,
                        title=title,
                        text=text,
                        written_at=at - (at - product.created_at) * age,
                        helpful=helpful,
                    )
                )
    return opinions


def _counts(chance: Random) -> list[tuple[dict[str, Any], int]]:
    """How many reviews each product gets, `REVIEWS` in sum: a few have many, some have none."""
    products = sorted(goods.products(), key=lambda said: zlib.crc32(said["sku"].encode() + b"!"))
    weights = [1 / (place + 4) for place in range(len(products))]
    edges, total = [0], 0.0
    for weight in weights:
        total += weight
        edges.append(round(REVIEWS * total / sum(weights)))
    chance.shuffle(products)
    return [
        (said, end - start)
        for said, start, end in zip(products, edges, edges[1:], strict=False)
        if end > start
    ]


def _stars(usual: float, chance: Random) -> int:
    if chance.random() < 0.06:
        return chance.choice([1, 1, 2])
    return max(1, min(5, round(chance.gauss(usual + 0.25, 1.0))))


def _words(
    said: dict[str, Any], author: User, rating: int, used: set[str], chance: Random
) -> tuple[str, str]:
    """A title and a text that fit the stars and were not used for the product yet."""
    phrases = goods.read("phrases")
    is_russian = author.name in goods.read("people")["russian"]
    tongue, stars = phrases["russian" if is_russian else "english"], str(rating)
    for _ in range(50):
        title = chance.choice(tongue["titles"][stars])
        text = (
            chance.choice(tongue["bodies"][stars])
            if is_russian
            else _composed(said, tongue, rating, chance)
        )
        if title not in used and text not in used:
            return title, text
    return "", text if text not in used else ""


def _composed(said: dict[str, Any], tongue: dict[str, Any], rating: int, chance: Random) -> str:
    """An opening, what is special about this product, and a last word; some texts are short."""
    if rating == 5:
        middle = chance.sample(said["good"], chance.choice([1, 1, 2]))
    elif rating >= 3:
        middle = [chance.choice(said["good"]), chance.choice(said["bad"])]
    else:
        middle = [chance.choice(said["bad"])]
    opener = chance.choice(tongue["openers"][str(rating)])
    closer = chance.choice(tongue["closers"][str(rating)])
    return " ".join(part for part in [opener, *middle, closer] if part)


@transaction.atomic
def write_review(opinion: Opinion, customers: list[User]) -> None:
    """Write it as its author would, and count who finds it helpful."""
    review = reviews.write_review(
        slug=opinion.product.slug,
        author_id=opinion.author.pk,
        at=opinion.written_at,
        rating=opinion.rating,
        title=opinion.title,
        text=opinion.text,
    )
    voters = _voters(opinion, customers) if review.status == Review.Status.PUBLISHED else []
    HelpfulVote.objects.bulk_create(
        HelpfulVote(review=review, voter=voter, created_at=opinion.written_at) for voter in voters
    )
    Review.objects.filter(pk=review.pk).update(
        created_at=opinion.written_at, updated_at=opinion.written_at, helpful=len(voters)
    )


def _voters(opinion: Opinion, customers: list[User]) -> list[User]:
    others = [customer for customer in customers if customer.pk != opinion.author.pk]
    start = zlib.crc32(opinion.text.encode())
    return [others[(start + place * 7) % len(others)] for place in range(opinion.helpful)]

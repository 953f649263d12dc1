"""The search against judgements: no worse than a plain ranking, and hardly ever empty."""

from collections.abc import Sequence
from statistics import fmean
from urllib.parse import urlencode

import pytest

from lavka.catalog.models import Product, Variant
from lavka.listing.services import rebuild_listing
from tests.catalog.factories import make_brand, make_type
from tests.client import Api
from tests.listing.judged.goods import Good, goods
from tests.listing.judged.judgements import Query, queries
from tests.listing.judged.measures import DEPTH, Bm25, ndcg

pytestmark = pytest.mark.django_db

FLOOR = 0.84
# How far below the plain ranking the search may fall.
SLACK = 0.02


def test_what_is_found_first_is_what_was_meant(api: Api):
    market, asked = goods(), queries()
    _stock(market)

    shown = [_numbers(api, query) for query in asked]

    plain = Bm25([f"{good.name} {good.brand} {good.description}" for good in market])
    control = fmean(_quality(query, market, plain.best(query.text)) for query in asked)
    quality = fmean(map(lambda query, found: _quality(query, market, found), asked, shown))
    empty = [query.text for query, found in zip(asked, shown, strict=True) if not found]
    assert empty == []
    assert quality >= max(FLOOR, control - SLACK), f"{quality:.3f}, the plain one {control:.3f}"


def _quality(query: Query, market: Sequence[Good], found: Sequence[int]) -> float:
    grades = [query.grade(good) for good in market]
    return ndcg([grades[number] for number in found], possible=grades)


def _numbers(api: Api, query: Query) -> list[int]:
    answer = api.get(f"/products/?{urlencode({'q': query.text, 'limit': DEPTH})}")
    return [int(card["slug"].removeprefix("good-")) for card in answer.json()["items"]]


def _stock(market: Sequence[Good]) -> None:
    kind = make_type()
    brands = {name: make_brand(name=name) for name in sorted({good.brand for good in market})}
    made = Product.objects.bulk_create(
        Product(
            slug=f"good-{good.number}",
            name=good.name,
            description=good.description,
            brand=brands[good.brand],
            product_type=kind,
            status=Product.Status.PUBLISHED,
        )
        for good in market
    )
    Variant.objects.bulk_create(
        Variant(product=product, sku=f"GOOD-{number}", price_amount=100 + number)
        for number, product in enumerate(made)
    )
    rebuild_listing()

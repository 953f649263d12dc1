"""A walk through the pages while the shop changes: nothing twice, nothing untouched missed."""

from random import Random

import pytest

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, Variant
from lavka.listing import services
from lavka.reviews.models import ProductRating
from tests.client import Api
from tests.listing.factories import make_card, rate

SORTS = ["newest", "price", "-price", "rating", "popularity", "relevance"]


@pytest.fixture(params=SORTS)
def sort(request: pytest.FixtureRequest) -> str:
    return request.param


def stock(chance: Random, number: int) -> Product:
    name = "Kettle" if chance.random() < 0.5 else "Steel kettle"
    made = make_card(chance.randint(1, 5) * 100, slug=f"kettle-{number}", name=name)
    rate(made, stars_5=chance.randint(0, 2), stars_1=chance.randint(0, 2))
    return made


def disturb(chance: Random, number: int, touched: set[str]) -> None:
    """Add a product, and re-price, review or delete one that is there."""
    added = stock(chance, 1000 + number)
    other = chance.choice(list(Product.objects.all()))
    touched |= {added.slug, other.slug}
    match chance.randint(0, 2):
        case 0:
            Variant.objects.filter(product=other).update(price_amount=chance.randint(1, 5) * 100)
        case 1:
            ProductRating.objects.filter(product=other).update(stars_5=chance.randint(0, 9))
        case _:
            catalog.delete_product(product_id=other.pk)
    services.refresh_products(product_ids=[added.pk, other.pk])


def walk(api: Api, sort: str, seed: int) -> None:
    chance, touched, seen = Random(seed), set[str](), list[str]()
    for number in range(12):
        stock(chance, number)
    services.rebuild_listing()
    before = set(Product.objects.values_list("slug", flat=True))
    query, cursor, page_number = "q=kettle&" if sort == "relevance" else "", "", 0
    while cursor is not None:
        page = api.get(f"/products/?{query}sort={sort}&limit=3&cursor={cursor}").json()
        seen += [card["slug"] for card in page["items"]]
        cursor, page_number = page["next"], page_number + 1
        disturb(chance, page_number, touched)

    assert len(seen) == len(set(seen))
    assert before - touched <= set(seen)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
def test_a_walk_shows_nothing_twice_and_misses_nothing_untouched(api: Api, sort: str, seed: int):
    walk(api, sort, seed)

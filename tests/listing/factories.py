"""Shop windows for tests."""

from typing import Any

import psycopg
from django.conf import settings
from django.http import HttpResponse

from lavka.catalog.models import Product, ProductImage
from lavka.listing.properties import kinds
from lavka.listing.services import rebuild_listing
from lavka.reviews.models import ProductRating
from tests.catalog.factories import make_product, make_variant
from tests.client import Api


def make_card(*prices: int, stock: bool = True, **product: Any) -> Product:
    """A published product with one variant per price (minor units)."""
    made = make_product(**product)
    for number, price in enumerate(prices or (1299,)):
        make_variant(
            product=made,
            price_amount=price,
            options={"n": str(number)},
            track_inventory=not stock,
        )
    return made


def rate(product: Product, **stars: int) -> None:
    """`rate(product, stars_5=2)`."""
    ProductRating.objects.create(product=product, **stars)


def make_image(product: Product, name: str, **overrides: Any) -> ProductImage:
    """A picture's row, without a file."""
    made = ProductImage.objects.create(product=product, alt="Seen from above", **overrides)
    ProductImage.objects.filter(pk=made.pk).update(file=name, width=1200, height=900)
    return made


def shown(api: Api, path: str) -> HttpResponse:
    """The answer of a shop window that is up to date."""
    rebuild_listing()
    kinds.forget()
    return api.get(path)


def slugs(api: Api, query: str = "") -> list[str]:
    """What an up-to-date window shows, in its order."""
    response = shown(api, f"/products/?{query}")
    assert response.status_code == 200, response.content
    return [card["slug"] for card in response.json()["items"]]


def paged(api: Api, query: str, *, limit: int) -> list[str]:
    """What all pages of a window that is up to date show, while others commit between them.

    Of a test that has committed what it made: a cursor takes the rows of an open transaction for
    moved as soon as another one commits.
    """
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/products/?{query}&limit={limit}&cursor={cursor}").json()
        seen += [card["slug"] for card in page["items"]]
        cursor = page["next"]
        _commit_elsewhere()
    return seen


def _commit_elsewhere() -> None:
    """What autovacuum may do at any time."""
    server = settings.DATABASES["default"]
    with psycopg.connect(
        host=server["HOST"],
        port=server["PORT"],
        user=server["USER"],
        password=server["PASSWORD"],
        dbname=server["NAME"],
    ) as other:
        other.execute("SELECT pg_current_xact_id()")

"""Reviews pour in over HTTP while workers and broker die; every rating is exact in the end."""

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from rest_framework_simplejwt.tokens import AccessToken

from tests.data.clothing_reviews import ClothingReview, clothing_reviews
from tests.e2e.conftest import ALL
from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Shop

CLIENTS = 24
# So many reviews does CI post while things break.
SOME = 2500
# Nothing has moved for so long: the shop has nothing to do, or stands still.
STILL_SECONDS = 120
_PROGRESS = """
SELECT (SELECT count(*) FROM kernel_outboxevent), coalesce(sum(count), 0),
    coalesce(sum(stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5), 0)
FROM reviews_productrating
"""


@pytest.mark.timeout(900)
def test_every_rating_is_exact_when_the_queue_is_empty(
    rabbitmq: RabbitMQ, tmp_path: Path, say_input: Callable[[str], None]
):
    source, reviews = clothing_reviews(1500)
    say_input(f"{source}, {len(reviews)} reviews")

    with Shop(tmp_path, broker=rabbitmq.variables, workers=2) as shop:
        post_all(shop, reviews)

        assert ratings_when_quiet(shop, reviews) == expected_ratings(reviews)


@pytest.mark.timeout(3600)
def test_every_rating_is_exact_after_kills_and_a_stopped_broker(
    rabbitmq: RabbitMQ,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    say_input: Callable[[str], None],
):
    source, reviews = clothing_reviews(None if pytestconfig.getoption(ALL, default=False) else SOME)
    say_input(f"{source}, {len(reviews)} reviews")

    with Shop(tmp_path, broker=rabbitmq.variables, workers=2) as shop, ThreadPoolExecutor() as pool:
        faults = pool.submit(break_things, shop, rabbitmq)
        post_all(shop, reviews, until=faults.done)
        assert faults.result() == ["kill", "kill", "broker back", "kill"]

        assert ratings_when_quiet(shop, reviews) == expected_ratings(reviews)


def break_things(shop: Shop, rabbitmq: RabbitMQ) -> list[str]:
    """Kill a worker three times and stop the broker for 20 seconds, while reviews come in."""
    done = []
    for worker in (shop.workers[0], shop.workers[1]):
        time.sleep(3)
        worker.restart()
        done.append("kill")
    time.sleep(2)
    rabbitmq.stop()
    time.sleep(20)
    rabbitmq.start()
    done.append("broker back")
    time.sleep(5)
    shop.workers[0].restart()
    done.append("kill")
    return done


def post_all(
    shop: Shop, reviews: list[ClothingReview], until: Callable[[], bool] = lambda: True
) -> None:
    """Post each review as a customer of its own, with at least 20 requests under way at once.

    Goes on changing reviews back and forth until `until` says so, so that a fault hits a busy shop.
    """
    products = sorted({review.product for review in reviews})
    authors = stock(shop, products, len(reviews))
    asyncio.run(_post_all(shop, reviews, authors, until))


def stock(shop: Shop, products: list[str], customers: int) -> list[uuid.UUID]:
    """Put products and customers straight into the database; returns the customers' ids."""
    connect = {
        "host": shop.environment["POSTGRES_HOST"],
        "port": shop.environment["POSTGRES_PORT"],
        "user": shop.environment["POSTGRES_USER"],
        "password": shop.environment.get("POSTGRES_PASSWORD", ""),
        "dbname": shop.database,
    }
    with psycopg.connect(**connect) as connection:
        (kind,) = connection.execute(
            "INSERT INTO catalog_producttype (code, name) VALUES ('clothes', 'Clothes')"
            " RETURNING id"
        ).fetchone()
        for product in products:
            connection.execute(
                "INSERT INTO catalog_product (product_type_id, slug, name, description, attributes,"
                " status, seo_title, seo_description, updated_at)"
                " VALUES (%s, %s, %s, '', '{}', 'published', '', '', now())",
                [kind, f"garment-{product}", f"Garment {product}"],
            )
        rows = connection.execute(
            "INSERT INTO accounts_user (email, password, name, is_staff, is_superuser, is_active,"
            " language) SELECT 'customer' || n || '@example.com', '!', 'Customer ' || n, false,"
            " false, true, 'en' FROM generate_series(1, %s) AS n RETURNING id",
            [customers],
        ).fetchall()
    return [row[0] for row in rows]


async def _post_all(
    shop: Shop,
    reviews: list[ClothingReview],
    authors: list[uuid.UUID],
    until: Callable[[], bool],
) -> None:
    todo = iter(list(zip(reviews, authors, strict=True)))
    written: list[tuple[str, uuid.UUID, int]] = []
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=shop.base_url, limits=limits, timeout=60) as client:

        async def run_client() -> None:
            for review, author in todo:
                answer = await client.post(
                    f"/api/v1/products/garment-{review.product}/reviews/",
                    json={"rating": review.rating, "title": review.title, "text": review.text},
                    headers=bearer(author),
                )
                assert answer.status_code == 201, answer.text
                written.append((answer.json()["id"], author, review.rating))

        async def keep_busy() -> None:
            """Change a review to other stars and back."""
            number = 0
            while not until():
                if number < len(written):
                    review_id, author, rating = written[number]
                    for stars in (6 - rating, rating):
                        answer = await client.patch(
                            f"/api/v1/reviews/{review_id}/",
                            json={"rating": stars},
                            headers=bearer(author),
                        )
                        assert answer.status_code == 200, answer.text
                    number += 1
                await asyncio.sleep(0.05)

        await asyncio.gather(keep_busy(), *(run_client() for _ in range(CLIENTS)))


def bearer(user_id: uuid.UUID) -> dict[str, str]:
    token = AccessToken()
    token["sub"], token["staff"], token["sid"] = str(user_id), False, str(uuid.uuid4())
    return {"Authorization": f"Bearer {token}"}


Rating = tuple[int, str, tuple[int, ...]]


def expected_ratings(reviews: list[ClothingReview]) -> dict[str, Rating]:
    """Count, average and histogram of each product, computed without the shop's code."""
    stars: dict[str, Counter[int]] = defaultdict(Counter)
    for review in reviews:
        stars[review.product][review.rating] += 1
    expected = {}
    for product, counts in stars.items():
        total, count = sum(n * each for n, each in counts.items()), counts.total()
        # Rounded half up in integers: 100 * total / count, to the nearest hundredth.
        hundredths = (200 * total + count) // (2 * count)
        expected[product] = (
            count,
            f"{hundredths / 100:.2f}",
            tuple(counts[n] for n in range(1, 6)),
        )
    return expected


def ratings_when_quiet(shop: Shop, reviews: list[ClothingReview]) -> dict[str, Rating]:
    """The shop's ratings once they are right, or nothing has moved for `STILL_SECONDS`."""
    expected, before, moved_at = expected_ratings(reviews), None, time.monotonic()
    while time.monotonic() - moved_at < STILL_SECONDS:
        [progress] = shop.query(_PROGRESS)
        if progress != before:
            before, moved_at = progress, time.monotonic()
        elif progress[:2] == (0, len(reviews)) and (found := ratings_of(shop)) == expected:
            return found
        time.sleep(0.5)
    return ratings_of(shop)


def ratings_of(shop: Shop) -> dict[str, Rating]:
    """What the API says of every product that has a rating."""
    slugs = [slug for (slug,) in shop.query("SELECT slug FROM catalog_product")]
    with httpx.Client(base_url=shop.base_url, timeout=30) as client:
        found = {}
        for slug in slugs:
            rating = client.get(f"/api/v1/products/{slug}/rating/").json()
            found[str(slug).removeprefix("garment-")] = (
                rating["count"],
                f"{rating['average'] or 0:.2f}",
                tuple(rating["histogram"].values()),
            )
    return found

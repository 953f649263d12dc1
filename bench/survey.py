"""What the requests are made of: slugs, words, customers, and the cursors that Lavka hands out."""

import datetime
import secrets
import uuid
from dataclasses import dataclass
from random import Random

import jwt

from bench.exchange import Client, Request
from bench.ground import Ground
from lavka.cli.trouble import Trouble

PAGE_SIZE = 20
# Random pages lie this deep: page numbers cost more with every page, and few people go further.
DEEPEST_PAGE = 200
SLUGS = 20_000
WRITERS = 60_000
TOKEN_LIFETIME = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Facts about one seeded shop; `cursors[n]` leads to page n + 2."""

    cursors: list[str]
    slugs: list[str]
    names: list[str]
    categories: list[str]
    prices: list[int]
    customers: list[tuple[str, str]]
    unreviewed: list[tuple[str, str]]
    token_key: str

    def token(self, user_id: str) -> str:
        """An access token as Lavka signs it, good for the length of a benchmark."""
        now = datetime.datetime.now(datetime.UTC)
        claims = {
            "token_type": "access",
            "iss": "lavka",
            "aud": "lavka.api",
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "sub": user_id,
            "sid": str(uuid.uuid4()),
            "staff": False,
        }
        return jwt.encode(claims, self.token_key, algorithm="HS256")


def survey_of(ground: Ground, lavka: Client) -> Survey:
    """Ask the database, and the running Lavka for its cursors."""
    with ground.connect() as connection:

        def column(statement: str, *values: object) -> list[str]:
            return [str(row[0]) for row in connection.execute(statement, values)]

        def pairs(statement: str, *values: object) -> list[tuple[str, str]]:
            return [(str(a), str(b)) for a, b in connection.execute(statement, values)]

        return Survey(
            cursors=_cursors(lavka),
            slugs=column(_SLUGS, SLUGS),
            names=column(_NAMES, SLUGS),
            categories=column(_CATEGORIES),
            prices=[int(price) for price in column(_PRICES)],
            customers=pairs(_CUSTOMERS, SLUGS),
            unreviewed=_shuffled(pairs(_UNREVIEWED, WRITERS)),
            token_key=ground.variables["TOKEN_KEY"],
        )


def _cursors(lavka: Client) -> list[str]:
    """Walk from the first page on, as deep as random pages go."""
    cursors, path = list[str](), "/api/v1/products/"
    while len(cursors) < DEEPEST_PAGE - 1:
        cursor = f"?cursor={cursors[-1]}" if cursors else ""
        answer = lavka.send(Request(path=f"{path}{cursor}"))
        if answer.status != 200:
            raise Trouble(f"Lavka answered {answer.status} to {path}{cursor}: {answer.body}")
        if answer.body["next"] is None:
            break
        cursors.append(answer.body["next"])
    return cursors


def _shuffled(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """So that neighbours in the list are different customers and products."""
    Random(0).shuffle(pairs)  # noqa: S311 - the same order every time, nothing secret
    return pairs


_SHOWN = "status = 'published' AND publish_at IS NULL AND unpublish_at IS NULL"
_SLUGS = f"SELECT slug FROM catalog_product WHERE {_SHOWN} ORDER BY md5(slug) LIMIT %s"  # noqa: S608
_NAMES = f"SELECT name FROM catalog_product WHERE {_SHOWN} ORDER BY md5(slug) LIMIT %s"  # noqa: S608
_CATEGORIES = """
SELECT slug FROM catalog_category
WHERE id IN (SELECT category_id FROM catalog_product) ORDER BY slug
"""
_PRICES = """
SELECT percentile_disc(ARRAY[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    WITHIN GROUP (ORDER BY price_amount) AS prices
FROM catalog_variant
"""
_PRICES = f"SELECT unnest(prices) FROM ({_PRICES}) AS found"  # noqa: S608
_CUSTOMERS = """
SELECT id, email FROM accounts_user
WHERE is_active AND NOT is_staff AND password NOT LIKE '!%%' ORDER BY md5(email) LIMIT %s
"""
# Each customer takes products by a stride, which skips those that they have reviewed.
_UNREVIEWED = f"""
WITH customer AS (
    SELECT id, row_number() OVER (ORDER BY md5(email)) AS place FROM accounts_user
    WHERE is_active AND NOT is_staff ORDER BY md5(email) LIMIT 500
), product AS (
    SELECT id, slug, row_number() OVER (ORDER BY md5(slug)) AS place FROM catalog_product
    WHERE {_SHOWN} ORDER BY md5(slug) LIMIT 500
)
SELECT customer.id, product.slug FROM customer CROSS JOIN product
WHERE NOT EXISTS (
    SELECT FROM reviews_review AS review
    WHERE review.author_id = customer.id AND review.product_id = product.id
)
ORDER BY (customer.place + product.place) %% 97, customer.place, product.place LIMIT %s
"""  # noqa: S608

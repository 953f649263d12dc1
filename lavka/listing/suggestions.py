"""What a customer may mean who has typed a few letters."""

from dataclasses import dataclass

from lavka.kernel import database
from lavka.listing.wanted import IS_SHOWN

MOST = 8
# Products that begin so are looked through up to this many; the best reviewed are shown.
LOOKED_THROUGH = 500


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A product, a category or a brand, by name."""

    kind: str
    slug: str
    name: str


async def suggestions_for(text: str) -> list[Suggestion]:
    """What has words that begin with the typed ones, then products with their stems: 1 query."""
    rows = await database.fetch_all(
        _SUGGESTIONS, {"text": text, "most": MOST, "through": LOOKED_THROUGH}
    )
    return [Suggestion(kind=kind, slug=slug, name=name) for kind, slug, name in rows]


_IS_SHOWN = IS_SHOWN.format(row="listed")
_SUGGESTIONS = rf"""
WITH begun AS MATERIALIZED (SELECT listing_typed_words(%(text)s::text) AS words),
stem AS MATERIALIZED (
    SELECT to_tsquery('lavka', string_agg(
        '''' || each || '''' || CASE WHEN is_last THEN ':*A' ELSE ':A' END, ' & ')) AS words
    FROM (
        SELECT each, place = count(*) OVER () AS is_last
        FROM unnest(listing_tokens(listing_spelled(%(text)s::text)))
            WITH ORDINALITY AS word (each, place) WHERE place <= 32
    ) AS typed
),
product AS MATERIALIZED (
    SELECT product_id, reviews FROM listing_listedproduct AS listed
    WHERE listed.name_words @@ (SELECT words FROM begun) AND {_IS_SHOWN} LIMIT %(through)s
),
-- With another ending than the name has: where few begin so.
kin AS (
    SELECT product_id, reviews FROM listing_listedproduct AS listed
    WHERE (SELECT count(*) FROM product) < %(most)s
        AND listed.words @@ (SELECT words FROM stem) AND {_IS_SHOWN}
        AND product_id <> ALL (ARRAY(SELECT product_id FROM product))
    LIMIT %(through)s
),
best AS (
    SELECT product_id, row_number() OVER (ORDER BY part, reviews DESC, product_id DESC) AS place
    FROM (SELECT 1 AS part, * FROM product UNION ALL SELECT 2, * FROM kin) AS found
    ORDER BY place LIMIT %(most)s
)
SELECT kind, slug, name FROM (
    SELECT 1 AS part, 'product' AS kind, slug, name, place
    FROM best JOIN catalog_product ON id = product_id
    UNION ALL
    (SELECT 2, 'category', slug, name, row_number() OVER (ORDER BY name)
    FROM catalog_category WHERE listing_name_words(name) @@ (SELECT words FROM begun)
    ORDER BY name LIMIT %(most)s)
    UNION ALL
    (SELECT 3, 'brand', slug, name, row_number() OVER (ORDER BY name)
    FROM catalog_brand WHERE listing_name_words(name) @@ (SELECT words FROM begun)
    ORDER BY name LIMIT %(most)s)
) AS row ORDER BY part, place"""  # noqa: S608 - joined from constants

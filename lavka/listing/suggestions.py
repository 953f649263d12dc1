"""What a customer may mean who has typed a few letters."""

from dataclasses import dataclass

from lavka.kernel import database

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
    """Products with all words, the last one perhaps begun, categories and brands: 1 query."""
    rows = await database.fetch_all(
        _SUGGESTIONS, {"text": text, "most": MOST, "through": LOOKED_THROUGH}
    )
    return [Suggestion(kind=kind, slug=slug, name=name) for kind, slug, name in rows]


_SUGGESTIONS = r"""
WITH typed AS MATERIALIZED (
    SELECT each, place = count(*) OVER () AS is_last
    FROM regexp_split_to_table(translate(listing_spelled(%(text)s::text), '-''\', '   '), '\s+')
        WITH ORDINALITY AS word (each, place)
),
query AS MATERIALIZED (
    SELECT to_tsquery('lavka', string_agg(
        '''' || each || '''' || CASE WHEN is_last THEN ':*A' ELSE ':A' END, ' & ')) AS words
    FROM typed WHERE each <> ''
),
pattern AS MATERIALIZED (
    SELECT regexp_replace(lower(%(text)s::text), '[\\%%_]', '\\\&', 'g') AS text
),
product AS (
    SELECT product_id, reviews FROM listing_listedproduct AS listed
    WHERE listed.words @@ (SELECT words FROM query)
        AND (listed.publish_at IS NULL OR listed.publish_at <= now())
        AND (listed.unpublish_at IS NULL OR listed.unpublish_at > now())
    LIMIT %(through)s
)
SELECT kind, slug, name FROM (
    (SELECT 1 AS part, 'product' AS kind, slug, name,
        row_number() OVER (ORDER BY reviews DESC, product_id DESC) AS place
    FROM product JOIN catalog_product ON id = product_id
    ORDER BY reviews DESC, product_id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 2, 'category', slug, name, row_number() OVER (ORDER BY name)
    FROM catalog_category, pattern
    WHERE pattern.text <> '' AND ' ' || lower(name) LIKE '%% ' || pattern.text || '%%'
    ORDER BY name LIMIT %(most)s)
    UNION ALL
    (SELECT 3, 'brand', slug, name, row_number() OVER (ORDER BY name)
    FROM catalog_brand, pattern
    WHERE pattern.text <> '' AND ' ' || lower(name) LIKE '%% ' || pattern.text || '%%'
    ORDER BY name LIMIT %(most)s)
) AS row ORDER BY part, place"""

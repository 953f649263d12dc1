"""Facets: what else may be chosen, and how many products each choice would show.

The counts of a facet ignore its own selection, and options are matched by one and the same
variant. Up to `SAMPLE` products are counted one by one; of more, a fair sample is counted and
scaled up, so a count costs the same in a shop of any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from lavka.kernel import database
from lavka.listing.search import MOST, search_tables
from lavka.listing.wanted import (
    EVERYWHERE,
    IS_SHOWN,
    Wanted,
    conditions_anywhere,
    conditions_of,
    has_chosen_in_stock,
    variant_fits,
)

SAMPLE = 3000


@dataclass(frozen=True, kw_only=True)
class FacetRow:
    """One value of a facet with its count, or the range of one; `kind` as the attribute's."""

    facet: str
    kind: str
    code: str
    name: str
    unit: str
    value: str | None
    label: str | None
    count: int
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Facets:
    """Rows in the order to show; with `is_exact` false, counts are estimates from a sample."""

    total: int
    is_exact: bool
    rows: list[FacetRow]


async def facets_of(wanted: Wanted) -> Facets:
    """What may be chosen among the products that fit: 1 query."""
    parameters = wanted.parameters() | {"most": MOST, "is_loose": None, "sample": SAMPLE}
    (size, *rows) = await database.fetch_all(_statement(wanted.shape()), parameters)
    return Facets(
        total=int(size[7]),
        is_exact=size[8] is None,
        rows=[FacetRow(**dict(zip(_COLUMNS, row, strict=True))) for row in rows],
    )


_COLUMNS = [
    "facet", "kind", "code", "name", "unit", "value", "label", "count", "low", "high",
]  # fmt: skip


def _sets(wanted: Wanted) -> dict[str, Wanted]:
    """What fits, by the name of its table; for each chosen facet also what would without it."""
    sets = {"fitting": wanted}
    if wanted.brands:
        sets["of_any_brand"] = replace(wanted, brands=())
    if (wanted.price_min, wanted.price_max) != (None, None):
        sets["of_any_price"] = replace(wanted, price_min=None, price_max=None)
    if wanted.in_stock is not None:
        sets["of_any_stock"] = replace(wanted, in_stock=None)
    for chosen in wanted.properties:
        others = tuple(each for each in wanted.properties if each.code != chosen.code)
        sets[f"of_any_{chosen.code}_value"] = replace(wanted, properties=others)
    return sets


@lru_cache(512)
def _statement(wanted: Wanted) -> str:
    sets = _sets(wanted)
    tables = [_table(name, each) for name, each in sets.items()]
    if wanted.text:
        tables.insert(0, search_tables(IS_SHOWN.format(row="listed"), columns=f", {_COUNTED}"))
    tables += [
        _sizes(sets, has_text=bool(wanted.text)),
        f"token AS NOT MATERIALIZED ({' UNION ALL '.join(_tokens(wanted, sets))})",
        f"number AS MATERIALIZED ({' UNION ALL '.join(_numbers(wanted, sets))})",
    ]
    brands, prices, stock = (
        name if name in sets else "fitting"
        for name in ("of_any_brand", "of_any_price", "of_any_stock")
    )
    rows = _ROWS.format(
        brands=brands, prices=prices, stock=stock, has_chosen=has_chosen_in_stock(wanted)
    )
    return f"WITH {', '.join(tables)} {rows}"


# What is counted, and what it is narrowed by.
_COUNTED = (
    "listed.attributes, listed.options, listed.variants, listed.categories, listed.brand_id,"
    " listed.price, listed.stars, listed.reviews, listed.in_stock, listed.sample"
)


def _table(name: str, wanted: Wanted) -> str:
    columns = f"listed.product_id, {_COUNTED}"
    if wanted.text:
        narrowed = conditions_anywhere(wanted).on_shown("listed")
        if not narrowed:
            return f"{name} AS NOT MATERIALIZED (TABLE found)"
        return (
            f"{name} AS MATERIALIZED (SELECT * FROM found AS listed"  # noqa: S608 - no value in it
            f" WHERE {narrowed})"
        )
    conditions = conditions_of(wanted)
    if conditions.shelf == EVERYWHERE:
        return (
            f"{name} AS MATERIALIZED (SELECT {columns} FROM listing_listedproduct AS listed"  # noqa: S608
            f" WHERE {conditions.on('listed')} ORDER BY listed.sample LIMIT %(sample)s)"
        )
    return (
        f"{name} AS MATERIALIZED (SELECT {columns}"  # noqa: S608 - constants
        " FROM listing_shelfplace AS place"
        " JOIN listing_listedproduct AS listed USING (product_id)"
        f" WHERE place.shelf_id = {conditions.shelf} AND {conditions.on('place')}"
        " ORDER BY place.sample LIMIT %(sample)s)"
    )


def _sizes(sets: dict[str, Wanted], *, has_text: bool) -> str:
    """How many there are in each set, and how many products one of the sample stands for.

    Of n products whose samples are spread evenly over 2^32 values, the k with the lowest reach up
    to about k/n of them.
    """
    scale = (
        "1.0::double precision, count(*) >= %(most)s"
        if has_text
        else "CASE WHEN count(*) < %(sample)s THEN 1.0"
        " ELSE 4294967296.0 / (max(sample)::double precision + 2147483649) END,"
        " count(*) >= %(sample)s"
    )
    counted = " UNION ALL ".join(
        f"SELECT '{name}', count(*), {scale} FROM {name}"  # noqa: S608 - constants
        for name in sets
    )
    return f"size (of_set, products, scale, is_sampled) AS MATERIALIZED ({counted})"


def _tokens(wanted: Wanted, sets: dict[str, Wanted]) -> Iterator[str]:
    """Which products, or which of their variants that fit, have which token."""
    chosen = [each.code for each in wanted.properties if each.tokens]
    codes = ", ".join(f"'{code}'" for code in chosen)
    others = f"split_part(token, '=', 1) NOT IN ({codes})" if codes else "true"
    yield f"SELECT * FROM ({_tokens_in('fitting', wanted)}) AS each WHERE {others}"  # noqa: S608
    for code in chosen:
        name = f"of_any_{code}_value"
        yield (
            f"SELECT * FROM ({_tokens_in(name, sets[name])}) AS each"  # noqa: S608 - constants
            f" WHERE starts_with(token, '{code}=')"
        )
        # What is chosen stays to be seen, also when no product has it.
        yield f"SELECT '{name}', NULL::uuid, unnest(%(tokens_{code})s::text[])"


def _tokens_in(name: str, wanted: Wanted) -> str:
    if wanted.in_stock or any(each.tokens for each in wanted.properties):
        return (
            f"SELECT '{name}' AS of_set, product_id, unnest(attributes) AS token FROM {name}"  # noqa: S608
            f" UNION SELECT '{name}', product_id, jsonb_array_elements_text(variant)"
            f" FROM {name} AS listed, jsonb_array_elements(listed.variants) AS variant"
            f" WHERE {variant_fits(wanted)}"
        )
    return (
        f"SELECT '{name}' AS of_set, product_id, unnest(attributes || options) AS token FROM {name}"  # noqa: S608
    )


def _numbers(wanted: Wanted, sets: dict[str, Wanted]) -> Iterator[str]:
    ranged = [each.code for each in wanted.properties if not each.tokens]
    codes = ", ".join(f"'{code}'" for code in ranged)
    others = f"WHERE code NOT IN ({codes})" if codes else ""
    select = "SELECT code, min(value) AS low, max(value) AS high, count(*) AS products"
    yield (
        f"{select} FROM fitting JOIN listing_listednumber USING (product_id) {others} GROUP BY code"
    )
    for code in ranged:
        yield (
            f"{select} FROM {f'of_any_{code}_value'} JOIN listing_listednumber USING (product_id)"
            f" WHERE code = '{code}' GROUP BY code"
        )


_ROWS = """
, counted AS (
    SELECT split_part(token, '=', 1) AS code, substr(token, strpos(token, '=') + 1) AS value,
        round(number.products * size.scale)::bigint AS count
    FROM (
        SELECT of_set, token, count(product_id) AS products FROM token GROUP BY of_set, token
    ) AS number JOIN size USING (of_set)
)
SELECT facet, kind, code, name, unit, value, label, count, low, high FROM (
    SELECT 0 AS part, 0 AS rank, 0 AS place, 'size' AS facet, '' AS kind, '' AS code, '' AS name,
        '' AS unit, NULL::text AS value, NULL::text AS label,
        round(products * scale)::bigint AS count,
        CASE WHEN is_sampled THEN 1::double precision END AS low, NULL::double precision AS high
    FROM size WHERE of_set = 'fitting'
    UNION ALL
    SELECT 1, 0, row_number() OVER (ORDER BY category.position, category.name), 'category',
        'choice', 'category', '', '', category.slug, category.name,
        round(number.products * (SELECT scale FROM size WHERE of_set = 'fitting'))::bigint,
        NULL, NULL
    FROM (
        SELECT id, count(*) AS products FROM fitting, unnest(categories) AS id GROUP BY id
    ) AS number JOIN catalog_category AS category USING (id)
    WHERE category.parent_id IS NOT DISTINCT FROM
        (SELECT id FROM catalog_category WHERE slug = %(category)s)
    UNION ALL
    (SELECT 2, 0, row_number() OVER (ORDER BY number.products DESC NULLS LAST, brand.name), 'brand',
        'choice', 'brand', '', '', brand.slug, brand.name,
        round(coalesce(number.products, 0)
            * (SELECT scale FROM size WHERE of_set = '{brands}'))::bigint, NULL, NULL
    FROM catalog_brand AS brand LEFT JOIN (
        SELECT brand_id AS id, count(*) AS products FROM {brands} GROUP BY brand_id
    ) AS number USING (id)
    WHERE number.products > 0 OR brand.slug = ANY(%(brands)s)
    ORDER BY brand.slug = ANY(%(brands)s) DESC, number.products DESC NULLS LAST, brand.name
    LIMIT 50)
    UNION ALL
    SELECT 3, 0, 0, 'price', 'number', 'price', '', '', NULL, NULL, count(*), min(price),
        max(price)
    FROM {prices} HAVING count(*) > 0
    UNION ALL
    SELECT 4, 0, CASE WHEN in_stock THEN 0 ELSE 1 END, 'in_stock', 'boolean', 'in_stock', '', '',
        in_stock::text, NULL,
        round(count(*) * (SELECT scale FROM size WHERE of_set = '{stock}'))::bigint, NULL, NULL
    FROM {stock} AS listed WHERE {has_chosen} OR NOT in_stock GROUP BY in_stock
    UNION ALL
    SELECT 5, -max(counted.count) OVER (PARTITION BY counted.code), coalesce(choice.position, 0),
        'attribute', attribute.kind, counted.code, attribute.name, attribute.unit, value,
        coalesce(choice.label, value), counted.count, NULL, NULL
    FROM counted JOIN catalog_attribute AS attribute USING (code)
    LEFT JOIN catalog_choice AS choice
        ON choice.attribute_id = attribute.id AND choice.code = counted.value
    WHERE attribute.kind IN ('choice', 'choices', 'boolean')
    UNION ALL
    SELECT 6, -number.products, 0, 'attribute', attribute.kind, number.code, attribute.name,
        attribute.unit, NULL, NULL, number.products, number.low, number.high
    FROM number JOIN catalog_attribute AS attribute USING (code)
) AS row ORDER BY part, rank, name, code, place, label"""

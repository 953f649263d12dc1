"""Full-text search as SQL: what a query means, which products fit, and how well.

A word is looked for as the shop writes it: in one or in two, corrected, or by another name. A score
is BM25 over fields: each word counts by its rarity times how often and where the product has it,
the name above brand and category, those above attributes, those above the description, and in few
words more than in many. All words first; when few have them all, any of the rarer words will do.
"""

from lavka.listing.wanted import IS_SHOWN

# How many products one search ranks: what bounds its cost in a shop of any size.
MOST = 3000
# With fewer products than this that have every word, those that have some are shown too.
FEW = 20
# Of a longer query the first words count.
MOST_WORDS = 32
# A word of at most `HARDLY` products may be a slip for one that `FAR_MORE` times as many have.
HARDLY, FAR_MORE = 5, 20
# How many different words a product of usual length has.
USUAL_LENGTH = 50

ASKED = r"""
typed AS MATERIALIZED (
    SELECT word, place
    FROM regexp_split_to_table(translate(listing_spelled(%(text)s::text), '-', ' '), '\s+')
        WITH ORDINALITY AS each (word, place)
    WHERE word <> '' ORDER BY place LIMIT {most_words}
),
said AS MATERIALIZED (
    SELECT lexeme, translate(lexeme, 'абвгдежзийклмнопрстуфхцчшщъыьэюя',
        'abvgdejziyklmnoprstufhc4w6789q01') AS letters,
        coalesce((SELECT products FROM listing_word WHERE lexeme = each.lexeme), 0) AS products
    FROM (SELECT DISTINCT lexeme FROM typed, unnest(to_tsvector('lavka', word))) AS each
),
shop AS MATERIALIZED (SELECT coalesce(max(products), 1) AS products FROM listing_word),
-- A word that nobody has is the beginning of one, or a slip of the finger. One that hardly
-- anybody has may be a slip that a seller made too.
guessed AS MATERIALIZED (
    SELECT said.lexeme AS word, guess.lexeme, guess.products
    FROM said CROSS JOIN LATERAL (
        SELECT *, rank() OVER (ORDER BY distance) AS place FROM (
            SELECT word.lexeme, word.products, CASE
                WHEN said.products = 0 AND starts_with(word.lexeme, said.lexeme) THEN 0
                ELSE levenshtein_less_equal(word.lexeme, said.lexeme, 2) END AS distance
            FROM listing_word AS word
            WHERE (word.letters %% said.letters OR word.letters LIKE said.letters || '%%')
                AND length(word.lexeme) <= 100
                AND word.products > said.products * {far_more}
        ) AS alike
        WHERE distance <= CASE
            WHEN length(said.lexeme) < 6 OR said.products > 0 THEN 1 ELSE 2 END
        ORDER BY distance, products DESC LIMIT 5
    ) AS guess
    WHERE said.products <= {hardly} AND guess.place = 1
        AND length(said.lexeme) BETWEEN CASE said.products WHEN 0 THEN 3 ELSE 5 END AND 100
        AND (said.lexeme !~ '\d' OR guess.distance = 0)
),
-- Two or three words that the shop writes as one.
glued AS MATERIALIZED (
    SELECT part.lexeme AS word, stems[1] AS lexeme,
        (SELECT products FROM listing_word WHERE lexeme = stems[1]) AS products
    FROM (
        SELECT to_tsvector('lavka', string_agg(word, ' ')) AS parts,
            tsvector_to_array(to_tsvector('lavka', string_agg(word, '' ORDER BY place))) AS stems
        FROM (
            SELECT word, place, begins, size FROM generate_series(2, 3) AS size
            CROSS JOIN (SELECT place AS begins FROM typed) AS first
            JOIN typed ON place - begins BETWEEN 0 AND size - 1
        ) AS run GROUP BY begins, size HAVING count(*) = size
    ) AS pair CROSS JOIN LATERAL unnest(parts) AS part WHERE cardinality(stems) = 1
),
-- A synonym is a phrase, and so is one word that the shop writes as two.
phrase AS MATERIALIZED (
    SELECT word, query, is_split, (
        SELECT min(coalesce((SELECT products FROM listing_word WHERE lexeme = part), 0))
        FROM unnest(tsvector_to_array(to_tsvector('simple', query::text))) AS part) AS products
    FROM (
        SELECT said.lexeme AS word, phraseto_tsquery('lavka', each.phrase) AS query,
            false AS is_split
        FROM said CROSS JOIN LATERAL (
            SELECT other AS phrase FROM listing_synonym WHERE word_lexemes = ARRAY[said.lexeme]
            UNION SELECT word FROM listing_synonym WHERE other_lexemes = ARRAY[said.lexeme]
        ) AS each
        UNION
        SELECT lexeme, halves, true
        FROM typed CROSS JOIN LATERAL generate_series(1, least(length(word), 20) - 1) AS cut
        CROSS JOIN LATERAL
            phraseto_tsquery('lavka', left(word, cut) || ' ' || substr(word, cut + 1)) AS halves
        CROSS JOIN LATERAL unnest(to_tsvector('lavka', word))
        WHERE word ~ '^[[:alnum:]]+$' AND numnode(halves) > 1
            AND (cut BETWEEN 3 AND length(word) - 2 OR substr(word, cut, 2) ~ '[[:alpha:]]\d')
    ) AS each
),
alternative AS MATERIALIZED (
    SELECT word, products,
        ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM (
        SELECT lexeme AS word, lexeme, products FROM said UNION TABLE guessed UNION TABLE glued
    ) AS meant WHERE products > 0
    UNION ALL
    -- Where both halves are common, too many products would have to be looked at.
    SELECT word, products, query FROM phrase
    WHERE products > 0 AND (NOT is_split OR products <= %(most)s)
),
term AS MATERIALIZED (
    SELECT word, string_agg('(' || query::text || ')', ' | ')::tsquery AS query,
        sum(products) AS products
    FROM alternative GROUP BY word
),
query AS MATERIALIZED (
    SELECT string_agg('(' || query::text || ')', ' & ')::tsquery AS all_of,
        string_agg('(' || query::text || ')', ' | ') FILTER (WHERE is_rare)::tsquery AS rare_of,
        array_agg(query ORDER BY word) AS terms,
        array_agg(weight ORDER BY word) AS weights,
        sum(weight) AS whole,
        (SELECT phraseto_tsquery('lavka', string_agg(word, ' ' ORDER BY place)) FROM typed)
            AS phrase
    FROM (
        SELECT word, query,
            ln(1 + shop.products / (0.5::double precision + least(term.products, shop.products)))
                AS weight,
            sum(term.products) OVER rarest <= %(most)s OR row_number() OVER rarest = 1 AS is_rare
        FROM term CROSS JOIN shop WINDOW rarest AS (ORDER BY term.products, term.word)
    ) AS weighed
)"""

# `{conditions}` narrow the products, `{columns}` follow their ids.
FOUND = """
strict AS MATERIALIZED (
    SELECT listed.product_id{columns}
    FROM listing_listedproduct AS listed, query
    WHERE listed.words @@ (SELECT all_of FROM query) AND {conditions} LIMIT %(most)s
),
few AS MATERIALIZED (
    SELECT %(is_loose)s::boolean OR (%(is_loose)s::boolean IS NULL AND count(*) < {few}) AS is_loose
    FROM ({those} LIMIT {few}) AS those
),
loose AS MATERIALIZED (
    SELECT listed.product_id{columns}
    FROM listing_listedproduct AS listed, query
    WHERE (SELECT is_loose FROM few) AND listed.words @@ (SELECT rare_of FROM query)
        AND listed.product_id <> ALL (ARRAY(SELECT product_id FROM strict))
        AND {conditions} LIMIT %(most)s
),
-- A SKU or a GTIN, as it stands on the box.
numbered AS MATERIALIZED (
    SELECT listed.product_id{columns_of_numbered}
    FROM listing_listedproduct AS listed WHERE listed.product_id IN (
        SELECT product_id FROM catalog_variant
        WHERE sku = ANY(ARRAY[%(text)s::text, upper(%(text)s::text), lower(%(text)s::text)])
            OR (gtin = %(text)s::text AND gtin <> '')
    ) AND {conditions}
),
found AS NOT MATERIALIZED (
    SELECT * FROM strict WHERE product_id <> ALL (ARRAY(SELECT product_id FROM numbered))
    UNION ALL
    SELECT * FROM loose WHERE product_id <> ALL (ARRAY(SELECT product_id FROM numbered))
    UNION ALL TABLE numbered
)"""

# About 1 for a product named like the query: BM25 with k = 1 and b = 0.75. `ts_rank` tells the
# mean of a term's words, here their sum counts.
SCORE = f"""(
    SELECT sum(weight * 2 * hit / (hit + 0.25
                + length(listed.words) * 0.75::double precision / {USUAL_LENGTH}))
            / query.whole * (0.4 + 0.6 * sum(weight) FILTER (WHERE hit > 0) / query.whole)
        + CASE WHEN listed.words @@ query.phrase THEN 0.1 ELSE 0 END
        + 0.01 * ln(1 + listed.reviews)
    FROM (
        SELECT weight, CASE WHEN numnode(term) = 1 OR listed.words @@ term
            THEN (numnode(term) + 1) / 2
                * ts_rank('{{0.3, 0.5, 0.6, 1}}', listed.words, term)::double precision
            ELSE 0 END AS hit
        FROM unnest(query.terms, query.weights) AS each (term, weight)
    ) AS weighed
)"""  # noqa: S608 - joined from constants
# Of a product whose number was typed.
CERTAIN = "10::double precision"


def search_tables(conditions: str, *, columns: str = "", columns_of_numbered: str = "") -> str:
    """The tables of a WITH clause; the last one is `found`: a `product_id`, and `columns`.

    `columns` begin with a comma and read the row `listed`; they may differ where a number was
    typed. Whether any of the words will do is decided without the conditions, so that narrowing a
    search never widens it; `%(is_loose)s` repeats what was decided for the page before.
    """
    shown = IS_SHOWN.format(row="listed")
    those = "SELECT FROM strict"
    if conditions != shown:
        those = f"""
        SELECT FROM listing_listedproduct AS listed
        WHERE listed.words @@ (SELECT all_of FROM query) AND {shown}"""  # noqa: S608 - no value in it
    asked = ASKED.format(most_words=MOST_WORDS, hardly=HARDLY, far_more=FAR_MORE)
    found = FOUND.format(
        columns=columns,
        columns_of_numbered=columns_of_numbered or columns,
        conditions=conditions,
        those=those,
        few=FEW,
    )
    return f"{asked},{found}"

"""What a customer types is looked for at the beginning of the words of names, as they are written."""

from django.contrib.postgres.search import SearchVectorField
from django.db import migrations

# The words of a text: whatever is no letter and no digit parts them. A vector takes no longer ones.
TOKENS = """
CREATE FUNCTION listing_tokens(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT left(token, 100) FROM regexp_split_to_table(
        lower(unaccent('unaccent'::regdictionary, normalize($1, NFKC))), '[^[:alnum:]]+') AS token
    WHERE token <> ''
);
"""
# A measure is found in one word and in two, a compound ("t-shirt", "men's") by its parts and in one.
# The cost has an index on it used where a table is small, too.
NAME_WORDS = r"""
CREATE FUNCTION listing_name_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
COST 10000
RETURN array_to_tsvector(listing_tokens($1) || listing_tokens(listing_spelled($1)) || listing_tokens((
    SELECT string_agg(regexp_replace(part[1], '[-''’]', '', 'g'), ' ')
    FROM regexp_matches($1, '(\w+(?:[-''’]\w+)+)', 'g') AS part
)));
"""
# The beginnings of words that somebody typed: all of them, a measure in one word or in two.
TYPED_WORDS = """
CREATE FUNCTION listing_typed_words(text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT string_agg('(' || words || ')', ' | ')::tsquery FROM (
        SELECT string_agg('''' || token || ''':*', ' & ') AS words
        FROM (VALUES (1, listing_tokens($1)), (2, listing_tokens(listing_spelled($1))))
            AS written (way, tokens)
        CROSS JOIN unnest(tokens) WITH ORDINALITY AS each (token, place)
        WHERE place <= 32 GROUP BY way
    ) AS query
);
"""
MARK_ALL = """
INSERT INTO listing_staleproduct (product_id) SELECT id FROM catalog_product
ON CONFLICT (product_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("listing", "0004_variant_images")]
    operations = [
        migrations.RunSQL(TOKENS, "DROP FUNCTION listing_tokens(text)"),
        migrations.RunSQL(NAME_WORDS, "DROP FUNCTION listing_name_words(text)"),
        migrations.RunSQL(TYPED_WORDS, "DROP FUNCTION listing_typed_words(text)"),
        migrations.AddField(
            model_name="listedproduct",
            name="name_words",
            field=SearchVectorField(db_default=""),
        ),
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]

"""A number behind "№" is a word too, and a compound is one with any of its hyphens and apostrophes."""

from django.db import migrations

BEFORE = r"""
CREATE OR REPLACE FUNCTION listing_name_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE
PARALLEL SAFE COST 10000
RETURN array_to_tsvector(listing_tokens($1) || listing_tokens(listing_spelled($1)) || listing_tokens((
    SELECT string_agg(regexp_replace(part[1], '[-''’]', '', 'g'), ' ')
    FROM regexp_matches($1, '(\w+(?:[-''’]\w+)+)', 'g') AS part
)));
"""
NAME_WORDS = r"""
CREATE OR REPLACE FUNCTION listing_name_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE
PARALLEL SAFE COST 10000
RETURN array_to_tsvector(listing_tokens($1) || listing_tokens(translate($1, '№', ' '))
    || listing_tokens(listing_spelled($1)) || listing_tokens((
    SELECT string_agg(translate(part[1], '-''', ''), ' ')
    FROM regexp_matches(
        translate($1, '’‘ʼ`‐‑', '''''''''--'), '(\w+(?:[-'']\w+)+)', 'g') AS part
)));
"""
MARK_ALL = """
INSERT INTO listing_staleproduct (product_id) SELECT id FROM catalog_product
ON CONFLICT (product_id) DO NOTHING
"""


def rebuilt(table: str) -> migrations.RunSQL:
    """The index on the words of a table's names, made anew by the function as it is now."""
    rebuild = f"REINDEX INDEX CONCURRENTLY {table}_name_words"
    return migrations.RunSQL(rebuild, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("listing", "0006_index_words_of_names")]
    operations = [
        migrations.RunSQL(NAME_WORDS, BEFORE),
        rebuilt("catalog_category"),
        rebuilt("catalog_brand"),
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]

"""Words of names are folded as the kernel folds text: a small sigma at their end is any other."""

from django.db import migrations

BEFORE = """
CREATE OR REPLACE FUNCTION listing_tokens(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT left(token, 100) FROM regexp_split_to_table(
        lower(unaccent('unaccent'::regdictionary, normalize($1, NFKC))), '[^[:alnum:]]+') AS token
    WHERE token <> ''
);
"""
TOKENS = """
CREATE OR REPLACE FUNCTION listing_tokens(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT left(token, 100)
    FROM regexp_split_to_table(lower(kernel_folded($1)), '[^[:alnum:]]+') AS token
    WHERE token <> ''
);
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
    dependencies = [
        ("listing", "0008_keep_pages_in_their_rows"),
        ("kernel", "0007_fold_text"),
    ]
    operations = [
        migrations.RunSQL(TOKENS, BEFORE),
        rebuilt("catalog_category"),
        rebuilt("catalog_brand"),
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]

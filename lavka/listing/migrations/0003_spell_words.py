"""A measure and a compound are words, however they are written: every product is read anew."""

from django.db import migrations

# "16 GB", "16-gb" and "16GB" are one word, so are 27", "27 inch" and "27-inch".
SPELLED = r"""
CREATE FUNCTION listing_spelled(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    translate(lower($1), '/_×″”’', '  x""'''),
    '([[:alpha:]])(\d+\.\d)', '\1 \2', 'g'),
    '(\d)[ -]?(?:(?:inch(?:es)?|дюйм\w*)\M|in\M(?![ -]?\d))|(\d)(?:"|'''')', '\1\2in ', 'g'),
    '(\d)[ -]?(?:feet|foot|ft|фут\w*)\M|(\d)''(?!\w)', '\1\2ft ', 'g'),
    '(\d)[ -]?(?:watts?|вт)\M', '\1w ', 'g'),
    '(\d)[ -]?(?:gigabytes?|gigs?|гб)\M', '\1gb ', 'g'),
    '(\d)[ -](gb|tb|mb|w|wh|v|mah|hz|khz|mhz|ghz|mm|cm|m|kg|g|oz|lbs?|ml|l|mp|fps|packs?|pcs|ports?'
    '|тб|мб|мач|гц|мм|см|м|кг|г|мл|л|шт)\M', '\1\2', 'g');
"""
# A compound is found by its parts and in one word ("usb", "c", "usbc"), a measure by its number too.
WORDS = r"""
CREATE FUNCTION listing_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT to_tsvector('lavka', translate(spelled, '-', ' ')) || to_tsvector('lavka', coalesce((
        SELECT string_agg(coalesce(translate(part[1], '-', ''), part[2]), ' ')
        FROM regexp_matches(spelled, '(\w+(?:-\w+)+)|\m(\d+)(?=[[:alpha:]]+\M)', 'g') AS part
    ), ''))
    FROM (SELECT listing_spelled($1) AS spelled) AS text;
END
"""
MARK_ALL = """
INSERT INTO listing_staleproduct (product_id) SELECT id FROM catalog_product
ON CONFLICT (product_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("listing", "0002_mark_all")]
    operations = [
        migrations.RunSQL(SPELLED, "DROP FUNCTION listing_spelled(text)"),
        migrations.RunSQL(WORDS, "DROP FUNCTION listing_words(text)"),
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]

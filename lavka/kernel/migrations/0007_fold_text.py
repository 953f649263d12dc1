"""Text is compared without case and accents."""

from django.db import migrations

# The extension stays when this is taken back: the search of the shop window needs it too.
UNACCENT = "CREATE EXTENSION IF NOT EXISTS unaccent"
# Upper case, as two small sigmas have one capital.
FOLDED = """
CREATE FUNCTION kernel_folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN upper(unaccent('unaccent'::regdictionary, normalize($1, NFKC)));
"""


class Migration(migrations.Migration):
    """A function, for indexes and what they serve."""

    dependencies = [("kernel", "0006_reports_label_their_subject")]

    operations = [
        migrations.RunSQL(UNACCENT, migrations.RunSQL.noop),
        migrations.RunSQL(FOLDED, "DROP FUNCTION kernel_folded(text)"),
    ]

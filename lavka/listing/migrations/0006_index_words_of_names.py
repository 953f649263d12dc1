"""Indexes for the words of names, which are read at each letter that somebody types.

Those of categories and brands are on an expression of this app. None keeps a list of pending
entries, which each read would have to look through.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


def on_names_of(table: str) -> migrations.RunSQL:
    """An index on the words of a table's names."""
    return migrations.RunSQL(
        f"CREATE INDEX CONCURRENTLY {table}_name_words ON {table} USING gin"
        " (listing_name_words(name)) WITH (fastupdate = off)",
        f"DROP INDEX CONCURRENTLY {table}_name_words",
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("listing", "0005_words_of_names"), ("catalog", "0007_variant_images")]
    operations = [
        AddIndexConcurrently(
            model_name="listedproduct",
            index=GinIndex(fields=["name_words"], name="listed_name_words", fastupdate=False),
        ),
        on_names_of("catalog_category"),
        on_names_of("catalog_brand"),
    ]

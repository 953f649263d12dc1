"""A product's page is read with its row, neither compressed nor from the TOAST table.

Rows are about 2.6 kB; above 2 kB PostgreSQL would compress their longest value, and move it out of
some, which costs every reader. Rows written before stay as they are until their product changes.
"""

from django.db import migrations

# The most of which two fit into a block.
KEEP = "ALTER TABLE listing_listedproduct SET (toast_tuple_target = 4080)"
AS_USUAL = "ALTER TABLE listing_listedproduct RESET (toast_tuple_target)"


class Migration(migrations.Migration):
    dependencies = [("listing", "0007_part_more_words")]
    operations = [migrations.RunSQL(KEEP, AS_USUAL)]

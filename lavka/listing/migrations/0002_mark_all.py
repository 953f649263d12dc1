"""What the shop has already waits for its first refresh; the schedule runs it within a minute."""

from django.db import migrations

MARK_ALL = """
INSERT INTO listing_staleproduct (product_id) SELECT id FROM catalog_product
ON CONFLICT (product_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("listing", "0001_initial")]
    operations = [migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop)]

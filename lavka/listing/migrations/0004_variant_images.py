"""Pages tell which pictures show which variant: every product is read anew."""

from django.db import migrations, models

MARK_ALL = """
INSERT INTO listing_staleproduct (product_id) SELECT id FROM catalog_product
ON CONFLICT (product_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("listing", "0003_spell_words"), ("catalog", "0007_variant_images")]
    operations = [
        migrations.AddField(
            model_name="listedproduct",
            name="variant_images",
            field=models.JSONField(db_default={}),
        ),
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]

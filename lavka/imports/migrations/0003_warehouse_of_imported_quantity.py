"""Where a file's quantity was counted; the ledger tells it of those from before."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
UPDATE imports_importedquantity AS imported
SET warehouse_id = counted.warehouse_id
FROM (
    SELECT DISTINCT ON (level.variant_id) level.variant_id, level.warehouse_id
    FROM inventory_stockmovement AS movement
    JOIN inventory_stocklevel AS level ON level.id = movement.level_id
    WHERE movement.reason = 'count' AND movement.reference = 'product import'
    ORDER BY level.variant_id, movement.id DESC
) AS counted
WHERE counted.variant_id = imported.variant_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0004_holds_end"),
        ("imports", "0002_imported_quantity"),
    ]
    operations = [
        migrations.AddField(
            model_name="importedquantity",
            name="warehouse",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.warehouse",
                verbose_name="warehouse",
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]

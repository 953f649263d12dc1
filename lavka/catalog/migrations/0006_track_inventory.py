"""Whether a variant's stock is counted is said by a field, no longer by the lack of a stock level.

Stop the web processes and workers of the release before: they write the column that is generated
now. Back again, an untracked variant that has stock levels is counted, since it cannot be said.
"""

from django.db import migrations, models

# A variant that nobody had counted was sold freely while it was shown in stock.
FORWARD = """
UPDATE catalog_variant AS variant SET track_inventory = false
WHERE is_in_stock AND NOT EXISTS (
    SELECT FROM inventory_stocklevel AS level WHERE level.variant_id = variant.id
);
UPDATE catalog_variant AS variant SET has_stock = true
WHERE 0 < (
    SELECT sum(available) FROM inventory_stocklevel AS level WHERE level.variant_id = variant.id
);
"""
BACKWARD = """
UPDATE catalog_variant AS variant SET is_in_stock = has_stock OR (
    NOT track_inventory AND NOT EXISTS (
        SELECT FROM inventory_stocklevel AS level WHERE level.variant_id = variant.id
    )
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_label_the_fields"),
        ("inventory", "0002_ledger_and_main_warehouse"),
    ]
    operations = [
        migrations.AddField(
            model_name="variant",
            name="cost_amount",
            field=models.BigIntegerField(
                blank=True,
                help_text="What one unit costs the shop, in minor units. Customers never see it.",
                null=True,
                verbose_name="cost",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.CheckConstraint(
                condition=models.Q(("cost_amount", None), ("cost_amount__gte", 0), _connector="OR"),
                name="variant_cost_not_negative",
            ),
        ),
        migrations.AddField(
            model_name="variant",
            name="track_inventory",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Off: it is sold without counting, however many are ordered.",
                verbose_name="track inventory",
            ),
        ),
        migrations.AddField(
            model_name="variant",
            name="has_stock",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(model_name="variant", name="is_in_stock"),
        migrations.AddField(
            model_name="variant",
            name="is_in_stock",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Q(
                    ("track_inventory", False), ("has_stock", True), _connector="OR"
                ),
                output_field=models.BooleanField(),
                verbose_name="in stock",
            ),
        ),
    ]

"""What a product file said last of a variant's quantity."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_track_inventory"),
        ("imports", "0001_initial"),
    ]
    operations = [
        migrations.CreateModel(
            name="ImportedQuantity",
            fields=[
                (
                    "variant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="imported_quantity",
                        serialize=False,
                        to="catalog.variant",
                        verbose_name="variant",
                    ),
                ),
                ("quantity", models.PositiveIntegerField(verbose_name="quantity")),
            ],
            options={
                "verbose_name": "imported quantity",
                "verbose_name_plural": "imported quantities",
            },
        ),
    ]

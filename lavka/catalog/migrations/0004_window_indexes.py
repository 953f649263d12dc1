"""Indexes for the orders of the shop window, and for words inside names and SKUs."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_protect_what_is_used"),
    ]

    operations = [
        TrigramExtension(),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["name", "id"], name="product_name"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), "gin_trgm_ops"
                ),
                name="product_name_contains",
            ),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(fields=["price_amount", "id"], name="variant_price"),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(
                fields=["product", "price_amount", "position", "id"], name="variant_cheapest"
            ),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("sku"), "gin_trgm_ops"
                ),
                name="variant_sku_contains",
            ),
        ),
    ]

"""Staff find products by name and brand however their accents are written."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

from lavka.kernel.folded_text import Folded


class Migration(migrations.Migration):
    """The index of names is one of folded names; brands get one, too."""

    dependencies = [("catalog", "0009_find_products_by_slug"), ("kernel", "0007_fold_text")]

    operations = [
        migrations.RemoveIndex(model_name="product", name="product_name_contains"),
        migrations.AddIndex(
            model_name="product",
            index=GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="product_name_folded"),
        ),
        migrations.AddIndex(
            model_name="brand",
            index=GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="brand_name_folded"),
        ),
    ]

"""Staff find products by a part of their slug."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations


class Migration(migrations.Migration):
    """One index."""

    dependencies = [("catalog", "0008_clean_descriptions")]

    operations = [
        migrations.AddIndex(
            model_name="product",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("slug"), "gin_trgm_ops"
                ),
                name="product_slug_contains",
            ),
        ),
    ]

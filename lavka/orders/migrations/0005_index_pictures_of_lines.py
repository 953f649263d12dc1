"""Before a picture's files are deleted, somebody asks whether an order line shows them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KT


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0004_lines_show_options_and_picture")]
    operations = [
        AddIndexConcurrently(
            model_name="orderline",
            index=models.Index(
                KT("image__file"),
                name="order_line_picture",
                condition=models.Q(image__isnull=False),
            ),
        ),
    ]

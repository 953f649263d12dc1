"""A business may say its VAT number."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="cart",
            name="vat_number",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=20, verbose_name="VAT number"
            ),
        ),
    ]

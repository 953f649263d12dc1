"""Orders keep the rate of each tax, and the buyer's VAT number, as invoices have to show them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_links_may_be_revoked"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="shipping_taxes",
            field=models.JSONField(db_default=[], default=list, verbose_name="taxes on shipping"),
        ),
        migrations.AddField(
            model_name="order",
            name="vat_number",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=20, verbose_name="VAT number"
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="taxes",
            field=models.JSONField(blank=True, db_default=[], default=list, verbose_name="taxes"),
        ),
    ]

"""Until when a quote held its stock, if it did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0003_refund_claims_name_who_claimed"),
    ]
    operations = [
        migrations.AddField(
            model_name="quote",
            name="stock_held_until",
            field=models.DateTimeField(null=True, verbose_name="stock held until"),
        ),
    ]

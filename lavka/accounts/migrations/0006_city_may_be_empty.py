"""Some countries' addresses have no city, such as Singapore's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_end_sessions_at_once")]

    operations = [
        migrations.AlterField(
            model_name="address",
            name="city",
            field=models.CharField(blank=True, max_length=100, verbose_name="city"),
        ),
    ]

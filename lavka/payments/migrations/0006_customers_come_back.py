from django.db import migrations, models


class Migration(migrations.Migration):
    """A payment keeps where its customer comes back to from their bank."""

    dependencies = [("payments", "0005_operations_name_who_asked")]

    operations = [
        migrations.AddField(
            "payment",
            "return_url",
            models.CharField(
                blank=True, db_default="", max_length=1000, verbose_name="return address"
            ),
        ),
    ]

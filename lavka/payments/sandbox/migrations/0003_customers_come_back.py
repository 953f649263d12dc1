from django.db import migrations, models


class Migration(migrations.Migration):
    """The page that confirms a charge leads back to the shop front."""

    dependencies = [("sandbox", "0002_page_has_its_own_key")]

    operations = [
        migrations.AddField(
            "charge",
            "return_url",
            models.CharField(
                blank=True, db_default="", max_length=1000, verbose_name="return address"
            ),
        ),
    ]

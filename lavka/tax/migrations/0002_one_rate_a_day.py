"""No two rates of one country hold on the same day: a temporal constraint of PostgreSQL 18."""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tax", "0001_initial")]
    operations = [
        BtreeGistExtension(),
        migrations.RunSQL(
            "ALTER TABLE tax_taxrate ADD CONSTRAINT tax_rate_one_a_day"
            " UNIQUE (country, valid WITHOUT OVERLAPS)",
            "ALTER TABLE tax_taxrate DROP CONSTRAINT tax_rate_one_a_day",
        ),
    ]

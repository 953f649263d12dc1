"""Reports of drift say in the reader's language what was compared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_events_name_their_actor"),
    ]

    operations = [
        migrations.AlterField(
            model_name="driftreport",
            name="subject",
            field=models.CharField(
                choices=[
                    ("listing", "product lists"),
                    ("ratings", "ratings"),
                    ("stock", "stock"),
                    ("money", "money"),
                ],
                max_length=100,
                verbose_name="subject",
            ),
        ),
    ]

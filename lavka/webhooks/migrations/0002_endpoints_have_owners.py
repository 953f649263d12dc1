from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="owner_id",
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name="owner"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="withheld_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="withheld at"
            ),
        ),
    ]

"""The ledger of stock says which kind of actor moved something, and which job or import."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_ledger_and_main_warehouse"),
    ]

    operations = [
        migrations.AddField(
            model_name="stockmovement",
            name="actor_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("staff", "staff"),
                    ("api_key", "API key"),
                    ("customer", "customer"),
                    ("guest", "guest"),
                    ("provider", "payment provider"),
                    ("import", "import"),
                    ("system", "the shop itself"),
                ],
                db_default="",
                default="",
                max_length=10,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="actor_name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Which API key, provider, import or job.",
                max_length=200,
                verbose_name="which",
            ),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="actor_id",
            field=models.UUIDField(null=True, verbose_name="who"),
        ),
    ]

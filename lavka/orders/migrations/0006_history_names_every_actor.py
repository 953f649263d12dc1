"""History says which job, import, provider or API key it was."""

from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE TRIGGER order_history_unchanged
    BEFORE UPDATE OF id, order_id, kind, actor_kind, actor_name, details, happened_at OR DELETE
    ON orders_orderevent
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_to_rewrite_history();
"""
BACKWARD = """
CREATE OR REPLACE TRIGGER order_history_unchanged
    BEFORE UPDATE OF id, order_id, kind, actor_kind, details, happened_at OR DELETE
    ON orders_orderevent
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_to_rewrite_history();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_index_pictures_of_lines"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderevent",
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
            model_name="orderevent",
            name="actor_kind",
            field=models.CharField(
                choices=[
                    ("staff", "staff"),
                    ("api_key", "API key"),
                    ("customer", "customer"),
                    ("guest", "guest"),
                    ("provider", "payment provider"),
                    ("import", "import"),
                    ("system", "the shop itself"),
                ],
                max_length=10,
                verbose_name="by",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

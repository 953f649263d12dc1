"""Lines keep their options with labels, and a picture; for older lines codes stand for labels."""

from django.db import migrations, models

COPY_CODES = """
UPDATE orders_orderline SET selected_options = (
    SELECT jsonb_agg(jsonb_build_object('code', key, 'name', key, 'value', value, 'label', value))
    FROM jsonb_each_text(options)
) WHERE options <> '{}'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_find_what_is_paid_too_much"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="image",
            field=models.JSONField(blank=True, null=True, verbose_name="picture"),
        ),
        migrations.AddField(
            model_name="orderline",
            name="selected_options",
            field=models.JSONField(
                blank=True, db_default=[], default=list, verbose_name="selected options"
            ),
        ),
        migrations.RunSQL(COPY_CODES, migrations.RunSQL.noop),
    ]

"""What is asked of providers names whoever asked for it, however late the answer comes."""

from django.db import migrations

import lavka.kernel.actors


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_compare_what_keys_mean"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="asked_by",
            field=lavka.kernel.actors.ActorField(
                db_default={"id": None, "kind": "system", "name": ""}, verbose_name="by"
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="abandoned_by",
            field=lavka.kernel.actors.ActorField(
                blank=True, null=True, verbose_name="abandoned by"
            ),
        ),
    ]

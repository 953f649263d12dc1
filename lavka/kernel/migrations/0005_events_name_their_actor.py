"""Every event names who caused it."""

from django.db import migrations

import lavka.kernel.actors


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_a_log_of_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="outboxevent",
            name="actor",
            field=lavka.kernel.actors.ActorField(
                db_default={"id": None, "kind": "system", "name": ""}, verbose_name="by"
            ),
        ),
        migrations.AddField(
            model_name="recordedevent",
            name="actor",
            field=lavka.kernel.actors.ActorField(
                db_default={"id": None, "kind": "system", "name": ""}, verbose_name="by"
            ),
        ),
    ]

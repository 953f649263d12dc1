"""A refund names whoever asked for it, also when the sweeper finishes it."""

from django.db import migrations

import lavka.kernel.actors


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0002_refund_claims"),
    ]

    operations = [
        migrations.AddField(
            model_name="refundclaim",
            name="claimed_by",
            field=lavka.kernel.actors.ActorField(
                db_default={"id": None, "kind": "system", "name": ""}, verbose_name="by"
            ),
        ),
    ]

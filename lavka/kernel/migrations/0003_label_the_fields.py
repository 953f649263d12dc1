"""Name the fields in words that can be translated; the tables stay as they are."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0002_outbox_notify"),
    ]

    operations = [
        migrations.AlterField(
            model_name="driftreport",
            name="checked",
            field=models.PositiveIntegerField(verbose_name="checked"),
        ),
        migrations.AlterField(
            model_name="driftreport",
            name="details",
            field=models.JSONField(default=dict, verbose_name="details"),
        ),
        migrations.AlterField(
            model_name="driftreport",
            name="drifted",
            field=models.PositiveIntegerField(verbose_name="drifted"),
        ),
        migrations.AlterField(
            model_name="driftreport",
            name="ran_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="ran at"
            ),
        ),
        migrations.AlterField(
            model_name="driftreport",
            name="subject",
            field=models.CharField(max_length=100, verbose_name="subject"),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="aggregate",
            field=models.UUIDField(verbose_name="aggregate"),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="name",
            field=models.CharField(max_length=100, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="occurred_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="occurred at"
            ),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="payload",
            field=models.JSONField(verbose_name="payload"),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="published_at",
            field=models.DateTimeField(null=True, verbose_name="published at"),
        ),
    ]

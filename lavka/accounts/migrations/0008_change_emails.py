"""Users change their address: what is pending, and what can still be undone."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_count_failures_by_place"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmailChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("old_email", models.EmailField(max_length=254)),
                ("new_email", models.EmailField(max_length=254)),
                ("binding", models.CharField(max_length=64)),
                ("session_id", models.UUIDField()),
                ("requested_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="email_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "change of e-mail",
                "verbose_name_plural": "changes of e-mail",
                "indexes": [
                    models.Index(fields=["requested_at"], name="email_change_requested_at")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at", None)),
                        fields=("user",),
                        name="email_change_one_pending",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("new_email", models.F("old_email")), _negated=True),
                        name="email_change_is_one",
                    ),
                ],
            },
        ),
    ]

"""Failures are counted by account and place, places and mails that anybody asks for remembered.

The table in which failures were counted by account alone stays until a later release: processes of
the release before still write it while they are replaced. What it holds counts no more.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_city_may_be_empty")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("LoginFailure")]
        ),
        migrations.CreateModel(
            name="LoginFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("source", models.CharField(blank=True, max_length=64, verbose_name="from")),
                (
                    "failures",
                    models.FloatField(
                        default=0,
                        help_text="One is forgotten after a while.",
                        verbose_name="failures",
                    ),
                ),
                ("failed_at", models.DateTimeField(verbose_name="failed at")),
                (
                    "locked_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="locked until"),
                ),
            ],
            options={
                "verbose_name": "login failure",
                "verbose_name_plural": "login failures",
                "db_table": "accounts_failedsignin",
                "indexes": [models.Index(fields=["failed_at"], name="login_failure_failed_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["email", "source"], name="login_failure_once_a_place"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="KnownPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("device", "device"), ("network", "network")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("used_at", models.DateTimeField(verbose_name="used at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "known place",
                "verbose_name_plural": "known places",
                "indexes": [
                    models.Index(fields=["digest"], name="known_place_digest"),
                    models.Index(fields=["used_at"], name="known_place_used_at"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user", "digest"], name="known_place_once_a_user"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RequestedMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("verify_email", "verify e-mail"),
                            ("account_exists", "account exists"),
                            ("reset_password", "reset password"),
                            ("sign_in", "sign in"),
                        ],
                        max_length=20,
                        verbose_name="purpose",
                    ),
                ),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("unused", models.PositiveSmallIntegerField(default=1, verbose_name="unused")),
            ],
            options={
                "verbose_name": "requested mail",
                "verbose_name_plural": "requested mails",
                "indexes": [models.Index(fields=["sent_at"], name="requested_mail_sent_at")],
                "constraints": [
                    models.UniqueConstraint(fields=["email", "purpose"], name="requested_mail_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="user",
            name="links_used_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]

"""Holds end, whatever their holder does, and what was kept unpaid counts against limits."""

import django.db.models.functions.uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0003_movements_name_their_actor"),
    ]
    operations = [
        migrations.AddField(
            model_name="hold",
            name="reference",
            field=models.UUIDField(
                db_default=django.db.models.functions.uuid.UUID7(), editable=False, unique=True
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="customer_id",
            field=models.UUIDField(null=True, verbose_name="customer"),
        ),
        migrations.AddField(
            model_name="hold",
            name="address",
            field=models.CharField(
                blank=True, db_default="", max_length=64, verbose_name="network address"
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="ends_at",
            field=models.DateTimeField(
                help_text="No activity moves the deadline beyond this.",
                null=True,
                verbose_name="ends at",
            ),
        ),
        migrations.RunSQL("UPDATE inventory_hold SET ends_at = expires_at", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="hold",
            name="ends_at",
            field=models.DateTimeField(
                help_text="No activity moves the deadline beyond this.", verbose_name="ends at"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__lte", models.F("ends_at"))),
                name="hold_expires_before_its_end",
            ),
        ),
        migrations.CreateModel(
            name="ReservationUsage",
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
                ("holder", models.UUIDField(verbose_name="holder")),
                ("variant_id", models.UUIDField(verbose_name="variant")),
                ("quantity", models.PositiveIntegerField(verbose_name="quantity")),
                ("customer_id", models.UUIDField(null=True, verbose_name="customer")),
                (
                    "address",
                    models.CharField(
                        blank=True, db_default="", max_length=64, verbose_name="network address"
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        help_text="From then on its holder keeps nothing from others.",
                        verbose_name="ends at",
                    ),
                ),
                ("counts_until", models.DateTimeField(verbose_name="counts until")),
            ],
            options={
                "verbose_name": "use of reservations",
                "verbose_name_plural": "uses of reservations",
                "indexes": [
                    models.Index(fields=["customer_id"], name="reservation_usage_customer"),
                    models.Index(fields=["address"], name="reservation_usage_address"),
                    models.Index(fields=["counts_until"], name="reservation_usage_counts_until"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("holder", "variant_id"), name="reservation_usage_once"
                    )
                ],
            },
        ),
    ]

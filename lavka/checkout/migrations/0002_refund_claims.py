"""Refunds of pieces, written down before their money goes."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0001_initial"),
        ("fulfilment", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundClaim",
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
                ("key", models.CharField(max_length=300, verbose_name="key")),
                ("quantities", models.JSONField(verbose_name="pieces")),
                ("amount", models.PositiveBigIntegerField(verbose_name="amount")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "under way"),
                            ("paid", "paid"),
                            ("released", "refused"),
                        ],
                        default="claimed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, verbose_name="further attempts"),
                ),
                ("claimed_at", models.DateTimeField(verbose_name="claimed at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="settled at"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_claims",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "return_request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_claims",
                        to="fulfilment.returnrequest",
                        verbose_name="return",
                    ),
                ),
            ],
            options={
                "verbose_name": "refund of pieces",
                "verbose_name_plural": "refunds of pieces",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "claimed")),
                        fields=["due_at"],
                        name="refund_claim_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "released"), _negated=True),
                        fields=("order", "key"),
                        name="refund_claim_once_per_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "released"), _negated=True),
                        fields=("return_request",),
                        name="refund_claim_once_per_return",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at", None), ("state", "claimed")),
                            models.Q(
                                models.Q(("state", "claimed"), _negated=True),
                                ("settled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="refund_claim_settled_has_its_instant",
                    ),
                ],
            },
        ),
    ]

"""Orders that are placed before they are paid, and whose budget they count against."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0004_quotes_may_hold_no_stock"),
        ("orders", "0009_unpaid_orders_expire"),
    ]
    operations = [
        migrations.CreateModel(
            name="UnpaidOrder",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="unpaid",
                        serialize=False,
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                ("mailbox", models.CharField(max_length=32, verbose_name="mailbox")),
                (
                    "address",
                    models.CharField(blank=True, max_length=64, verbose_name="network address"),
                ),
                ("is_trusted", models.BooleanField(verbose_name="trusted")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "unpaid order",
                "verbose_name_plural": "unpaid orders",
                "indexes": [
                    models.Index(fields=["mailbox"], name="unpaid_order_mailbox"),
                    models.Index(fields=["address", "created_at"], name="unpaid_order_address"),
                ],
            },
        ),
    ]

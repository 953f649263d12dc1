"""Invoices and credit notes; a trigger keeps each as it was issued."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.uuid
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER invoice_append_only BEFORE UPDATE OR DELETE ON invoices_invoice
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_change();
"""
BACKWARD = "DROP TRIGGER invoice_append_only ON invoices_invoice;"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("inventory", "0002_ledger_and_main_warehouse"),
        ("orders", "0008_keep_rates_and_vat_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invoice",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "invoice"), ("credit_note", "credit note")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.BigIntegerField(verbose_name="number in its series")),
                ("name", models.CharField(max_length=40, unique=True, verbose_name="number")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("sale", "sale"),
                            ("edit", "change of the order"),
                            ("cancellation", "cancellation"),
                            ("return", "return"),
                            ("refund", "refund"),
                        ],
                        max_length=20,
                        verbose_name="cause",
                    ),
                ),
                (
                    "source",
                    models.CharField(blank=True, default="", editable=False, max_length=400),
                ),
                (
                    "currency",
                    models.CharField(help_text="ISO 4217", max_length=3, verbose_name="currency"),
                ),
                ("net_amount", models.BigIntegerField(verbose_name="without tax")),
                ("tax_amount", models.BigIntegerField(verbose_name="tax")),
                ("total_amount", models.BigIntegerField(verbose_name="total")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                ("layout", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("content", models.JSONField(verbose_name="content")),
                ("sheet", models.JSONField(editable=False)),
                (
                    "credited",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="invoices.invoice",
                        verbose_name="invoice that it corrects",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "invoice",
                "verbose_name_plural": "invoices",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["-issued_at", "-id"], name="invoice_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "number"), name="invoice_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("cause", "sale")),
                        fields=("order",),
                        name="invoice_one_sale_per_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="invoice_number_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credited", None), ("kind", "invoice")),
                            models.Q(("credited__isnull", False), ("kind", "credit_note")),
                            _connector="OR",
                        ),
                        name="invoice_credit_note_names_its_invoice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_amount",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("net_amount"), "+", models.F("tax_amount")
                                ),
                            ),
                            ("total_amount__gte", 0),
                        ),
                        name="invoice_total_adds_up",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

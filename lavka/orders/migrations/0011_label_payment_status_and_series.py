"""Payment statuses and series of numbers have names for people; no column changes."""

from django.db import migrations, models
from django.db.models import Case, F, Q, Value, When

STATUSES = [
    ("unpaid", "unpaid"),
    ("authorised", "authorised"),
    ("partially_paid", "partially paid"),
    ("paid", "paid"),
    ("partially_refunded", "partially refunded"),
    ("refunded", "refunded"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_count_lines_and_pieces"),
    ]

    operations = [
        migrations.AlterField(
            model_name="numberseries",
            name="name",
            field=models.CharField(
                choices=[
                    ("orders", "orders"),
                    ("invoices", "invoices"),
                    ("credit_notes", "credit notes"),
                ],
                max_length=50,
                primary_key=True,
                serialize=False,
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="payment_status",
            field=models.GeneratedField(
                choices=STATUSES,
                db_persist=True,
                expression=Case(
                    When(
                        Q(refunded_amount=F("captured_amount"), refunded_amount__gt=0),
                        then=Value("refunded"),
                    ),
                    When(refunded_amount__gt=0, then=Value("partially_refunded")),
                    When(captured_amount__gte=F("total_amount"), then=Value("paid")),
                    When(captured_amount__gt=0, then=Value("partially_paid")),
                    When(authorised_amount__gt=0, then=Value("authorised")),
                    default=Value("unpaid"),
                ),
                output_field=models.CharField(choices=STATUSES, max_length=20),
                verbose_name="payment",
            ),
        ),
    ]

"""Until when an order is to be paid. Orders of before wait as long as they have to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0008_keep_rates_and_vat_number"),
    ]
    operations = [
        migrations.AddField(
            model_name="order",
            name="payment_due_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When nothing was paid and nothing sent by then, the shop cancels the order.",
                null=True,
                verbose_name="to be paid until",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("payment_due_at__isnull", False), ("status", "placed")),
                fields=["payment_due_at"],
                name="order_payment_due",
            ),
        ),
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("placed", "placed"),
                    ("edited", "changed"),
                    ("cancelled", "cancelled"),
                    ("authorised", "money authorised"),
                    ("voided", "authorisation voided"),
                    ("captured", "money captured"),
                    ("refunded", "money refunded"),
                    ("shipped", "shipment sent"),
                    ("delivered", "shipment delivered"),
                    ("completed", "completed"),
                    ("return_requested", "return requested"),
                    ("return_approved", "return approved"),
                    ("return_refused", "return refused"),
                    ("return_received", "return received"),
                    ("note", "note"),
                    ("links_revoked", "links revoked"),
                    ("payment_due", "payment deadline set"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
    ]

"""A rate of zero says why nothing is taken."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tax", "0002_one_rate_a_day"),
    ]

    operations = [
        migrations.AddField(
            model_name="taxrate",
            name="reason",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why nothing is taken, as invoices say it: the law that exempts, an export.",
                max_length=200,
                verbose_name="reason for 0 %",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), ("percent", 0), _connector="OR"),
                name="tax_rate_reason_is_for_no_tax",
                violation_error_message="Only a rate of zero has a reason.",
            ),
        ),
    ]

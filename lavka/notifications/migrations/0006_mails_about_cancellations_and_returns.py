"""Mails about cancellations and returns."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_mailboxes_have_budgets"),
    ]

    operations = [
        migrations.AlterField(
            model_name="sentmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("verify_email", "verify e-mail"),
                    ("account_exists", "account exists"),
                    ("reset_password", "reset password"),
                    ("sign_in", "sign in"),
                    ("password_changed", "password changed"),
                    ("order_placed", "order placed"),
                    ("order_shipped", "order shipped"),
                    ("order_cancelled", "order cancelled"),
                    ("order_refunded", "order refunded"),
                    ("return_approved", "return approved"),
                    ("return_refused", "return refused"),
                    ("return_received", "return received"),
                    ("back_in_stock", "back in stock"),
                ],
                max_length=40,
                verbose_name="kind",
            ),
        ),
    ]

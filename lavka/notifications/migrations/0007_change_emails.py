"""Mails about changes of an address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_mails_about_cancellations_and_returns"),
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
                    ("change_email", "confirm another e-mail"),
                    ("email_change_requested", "another e-mail asked for"),
                    ("email_changed", "e-mail changed"),
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

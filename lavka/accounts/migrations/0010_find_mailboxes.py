"""Accounts are found by their mailbox, however it is spelled."""

from django.db import migrations, models

from lavka.accounts.models import Mailbox


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_find_customers")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(Mailbox("email"), name="user_mailbox"),
        ),
    ]

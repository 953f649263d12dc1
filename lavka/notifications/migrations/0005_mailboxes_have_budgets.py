"""Mails to mailboxes that nobody has proved to be theirs are counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0004_sign_in_links"),
    ]
    operations = [
        migrations.AddField(
            model_name="sentmail",
            name="mailbox",
            field=models.CharField(
                blank=True, db_default="", max_length=32, verbose_name="mailbox"
            ),
        ),
        migrations.AddField(
            model_name="sentmail",
            name="suppressed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="The mailbox got too much that day.",
                null=True,
                verbose_name="not sent",
            ),
        ),
        migrations.AddIndex(
            model_name="sentmail",
            index=models.Index(
                condition=models.Q(("mailbox", ""), _negated=True),
                fields=["mailbox", "claimed_at"],
                name="mail_mailbox",
            ),
        ),
    ]

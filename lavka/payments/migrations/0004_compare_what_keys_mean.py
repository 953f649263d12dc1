from django.db import migrations, models


class Migration(migrations.Migration):
    """What a caller asked for under a key is kept with it; keys say whose they are."""

    dependencies = [
        ("payments", "0003_room_for_clients_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="fingerprint",
            field=models.CharField(
                blank=True, db_default="", max_length=64, verbose_name="fingerprint"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="key",
            field=models.CharField(max_length=400, unique=True, verbose_name="idempotency key"),
        ),
    ]

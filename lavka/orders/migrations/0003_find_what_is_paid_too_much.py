"""An index over the few orders that hold more than they cost, made while orders come in."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Only the index."""

    atomic = False
    dependencies = [("orders", "0002_history_is_append_only")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                fields=["updated_at"],
                name="order_paid_too_much",
                condition=Q(captured_amount__gt=F("total_amount") + F("refunded_amount")),
            ),
        ),
    ]

"""Orders count their lines and pieces, so that whoever tells of one need not read them."""

from django.db import migrations, models

_COUNT = """
UPDATE orders_order SET line_count = counted.lines, piece_count = counted.pieces
FROM (
    SELECT order_id, count(*) AS lines, sum(quantity) AS pieces
    FROM orders_orderline GROUP BY order_id
) AS counted
WHERE counted.order_id = orders_order.id
"""


class Migration(migrations.Migration):
    """Two columns, filled for the orders that are there."""

    dependencies = [("orders", "0009_unpaid_orders_expire")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="line_count",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="lines"),
        ),
        migrations.AddField(
            model_name="order",
            name="piece_count",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="pieces"),
        ),
        migrations.RunSQL(_COUNT, migrations.RunSQL.noop),
    ]

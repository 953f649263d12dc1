"""Staff find orders by who gets them, where, by phone and by SKU."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models

import lavka.orders.models


class Migration(migrations.Migration):
    """A function, and two indexes."""

    dependencies = [
        ("orders", "0011_label_payment_status_and_series"),
        # It brought the extension.
        ("catalog", "0004_window_indexes"),
    ]

    operations = [
        # In PL/pgSQL: a function in SQL is put into the query in pieces, which the index is not of.
        migrations.RunSQL(
            """
            CREATE FUNCTION orders_found_by(email text, shipping jsonb, billing jsonb)
            RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ BEGIN RETURN
                coalesce(email, '')
                || ' ' || coalesce(shipping ->> 'name', '')
                || ' ' || coalesce(shipping ->> 'city', '')
                || ' ' || coalesce(shipping ->> 'postal_code', '')
                || ' ' || regexp_replace(coalesce(shipping ->> 'phone', ''), '[^0-9]', '', 'g')
                || ' ' || coalesce(billing ->> 'name', '')
                || ' ' || coalesce(billing ->> 'city', '')
                || ' ' || coalesce(billing ->> 'postal_code', '')
                || ' ' || regexp_replace(coalesce(billing ->> 'phone', ''), '[^0-9]', '', 'g');
            END $$
            """,
            "DROP FUNCTION orders_found_by(text, jsonb, jsonb)",
        ),
        migrations.AddIndex(
            model_name="order",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper(lavka.orders.models.FoundBy()),
                    "gin_trgm_ops",
                ),
                condition=models.Q(("number__isnull", False)),
                name="order_found_by",
            ),
        ),
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("sku"), "text_pattern_ops"
                ),
                name="order_line_sku",
            ),
        ),
    ]

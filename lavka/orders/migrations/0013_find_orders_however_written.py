"""Staff find orders by postal codes, phones and names however they are written."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations
from django.db.models import Q

from lavka.kernel.folded_text import Folded
from lavka.orders.models import FoundBy

# Each word stands between spaces; a country, for "CH-8001"; a postal code also without what parts
# it, as somebody may type it; a phone as its digits, without the zero that is not dialled from
# abroad: "+44 (0)20".
FOUND_BY = r"""
CREATE OR REPLACE FUNCTION orders_found_by(email text, shipping jsonb, billing jsonb)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found text := ' ' || coalesce(email, '') || ' ';
    address jsonb;
BEGIN
    FOREACH address IN ARRAY ARRAY[shipping, billing] LOOP
        found := found || concat_ws(' ',
            address ->> 'name',
            address ->> 'city',
            address ->> 'country',
            address ->> 'postal_code',
            regexp_replace(address ->> 'postal_code', '[^[:alnum:]]', '', 'g'),
            regexp_replace(
                regexp_replace(address ->> 'phone', '\(\s*0\s*\)', ''), '[^0-9]', '', 'g'),
            '');
    END LOOP;
    RETURN found;
END $$
"""
FORMER_FOUND_BY = """
CREATE OR REPLACE FUNCTION orders_found_by(email text, shipping jsonb, billing jsonb)
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
"""


class Migration(migrations.Migration):
    """The function, and the index of what it returns, made anew."""

    dependencies = [
        ("orders", "0012_find_orders"),
        ("kernel", "0007_fold_text"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="order", name="order_found_by"),
        migrations.RunSQL(FOUND_BY, FORMER_FOUND_BY),
        migrations.AddIndex(
            model_name="order",
            index=GinIndex(
                OpClass(Folded(FoundBy()), "gin_trgm_ops"),
                name="order_found_by",
                condition=Q(number__isnull=False),
            ),
        ),
    ]

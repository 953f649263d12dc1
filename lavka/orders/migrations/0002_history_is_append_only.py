"""An order's history is only ever added to; all but the link to the actor stays as it was."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lavka_refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an entry of an order''s history is never changed'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER order_history_unchanged
    BEFORE UPDATE OF id, order_id, kind, actor_kind, details, happened_at OR DELETE
    ON orders_orderevent
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_to_rewrite_history();
"""
BACKWARD = """
DROP TRIGGER order_history_unchanged ON orders_orderevent;
DROP FUNCTION lavka_refuse_to_rewrite_history();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

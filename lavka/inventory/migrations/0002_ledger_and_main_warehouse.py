"""The ledger is append-only, and there is a warehouse to begin with."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lavka_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE ON inventory_stockmovement
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_change();
INSERT INTO inventory_warehouse (code, name, priority) VALUES ('main', 'Main warehouse', 0);
"""
BACKWARD = """
DROP TRIGGER stock_movement_append_only ON inventory_stockmovement;
DROP FUNCTION lavka_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

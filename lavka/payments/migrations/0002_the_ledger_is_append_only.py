"""Nobody changes or deletes what is in the ledger, whatever program they use."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lavka_keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of entry % is refused', TG_OP, OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON payments_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION lavka_keep_ledger();
"""
BACKWARD = """
DROP TRIGGER ledger_is_append_only ON payments_ledgerentry;
DROP FUNCTION lavka_keep_ledger();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

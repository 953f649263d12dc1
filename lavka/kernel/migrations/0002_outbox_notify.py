"""Whoever appends to the outbox wakes the relay: at commit, once a transaction."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lavka_outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('lavka_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON kernel_outboxevent
    FOR EACH STATEMENT EXECUTE FUNCTION lavka_outbox_notify();
"""
BACKWARD = """
DROP TRIGGER outbox_notify ON kernel_outboxevent;
DROP FUNCTION lavka_outbox_notify();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

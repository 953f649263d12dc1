"""Whoever becomes staff signs in anew, and the keys of whoever is staff no more are revoked.

The trigger of `0005_end_sessions_at_once`, for more changes.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION lavka_end_sessions_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.session_version := greatest(NEW.session_version, OLD.session_version);
    IF (OLD.is_active AND NOT NEW.is_active) OR (NEW.is_staff AND NOT OLD.is_staff)
        OR (NEW.is_superuser AND NOT OLD.is_superuser)
    THEN
        NEW.session_version := NEW.session_version + 1;
        UPDATE accounts_session SET revoked_at = clock_timestamp()
        WHERE user_id = NEW.id AND revoked_at IS NULL;
    END IF;
    IF (OLD.is_active AND NOT NEW.is_active) OR (OLD.is_staff AND NOT NEW.is_staff) THEN
        UPDATE accounts_apikey SET revoked_at = clock_timestamp()
        WHERE created_by_id = NEW.id AND revoked_at IS NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER user_sessions_end BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.session_version > NEW.session_version OR OLD.is_active <> NEW.is_active
        OR OLD.is_staff <> NEW.is_staff OR OLD.is_superuser <> NEW.is_superuser)
    EXECUTE FUNCTION lavka_end_sessions_of_user();
"""
# What the trigger would have done.
REVOKE_KEYS = """
UPDATE accounts_apikey AS key SET revoked_at = clock_timestamp() FROM accounts_user AS maker
WHERE maker.id = key.created_by_id AND key.revoked_at IS NULL
    AND NOT (maker.is_active AND maker.is_staff);
"""
BACKWARD = """
CREATE OR REPLACE TRIGGER user_sessions_end BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.session_version > NEW.session_version OR (OLD.is_active AND NOT NEW.is_active))
    EXECUTE FUNCTION lavka_end_sessions_of_user();
CREATE OR REPLACE FUNCTION lavka_end_sessions_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.session_version := greatest(NEW.session_version, OLD.session_version);
    IF OLD.is_active AND NOT NEW.is_active THEN
        NEW.session_version := NEW.session_version + 1;
        UPDATE accounts_session SET revoked_at = clock_timestamp()
        WHERE user_id = NEW.id AND revoked_at IS NULL;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_find_mailboxes")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(REVOKE_KEYS, migrations.RunSQL.noop),
    ]

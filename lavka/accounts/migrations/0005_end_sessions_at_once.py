"""Whatever ends a session tells every web process, and a deactivated user has no open session.

Triggers, so that the admin, the shell, a cascade and SQL by hand count like a service.
"""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION lavka_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO web_endedsession (id, ended_at) VALUES (OLD.id, clock_timestamp())
    ON CONFLICT (id) DO NOTHING;
    PERFORM pg_notify('lavka_sessions', OLD.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER session_revoked AFTER UPDATE OF revoked_at ON accounts_session FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION lavka_session_ended();
CREATE TRIGGER session_deleted AFTER DELETE ON accounts_session FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION lavka_session_ended();

CREATE FUNCTION lavka_end_sessions_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.session_version := greatest(NEW.session_version, OLD.session_version);
    IF OLD.is_active AND NOT NEW.is_active THEN
        NEW.session_version := NEW.session_version + 1;
        UPDATE accounts_session SET revoked_at = clock_timestamp()
        WHERE user_id = NEW.id AND revoked_at IS NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_sessions_end BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.session_version > NEW.session_version OR (OLD.is_active AND NOT NEW.is_active))
    EXECUTE FUNCTION lavka_end_sessions_of_user();
"""
BACKWARD = """
DROP TRIGGER user_sessions_end ON accounts_user;
DROP FUNCTION lavka_end_sessions_of_user();
DROP TRIGGER session_deleted ON accounts_session;
DROP TRIGGER session_revoked ON accounts_session;
DROP FUNCTION lavka_session_ended();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_widen_scopes"), ("web", "0002_ended_sessions")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="session_version",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

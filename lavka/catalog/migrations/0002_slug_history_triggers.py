"""A renamed product, category or brand leaves its slug in the history, whoever renames it."""

from django.db import migrations

KINDS = {"product": "catalog_product", "category": "catalog_category", "brand": "catalog_brand"}

FUNCTIONS = """
CREATE FUNCTION lavka_keep_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_slughistory (kind, slug, target) VALUES (TG_ARGV[0], OLD.slug, OLD.id)
    ON CONFLICT (kind, slug) DO UPDATE SET target = excluded.target, changed_at = now();
    DELETE FROM catalog_slughistory WHERE kind = TG_ARGV[0] AND slug = NEW.slug AND target = NEW.id;
    RETURN NULL;
END $$;
CREATE FUNCTION lavka_forget_slugs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM catalog_slughistory WHERE kind = TG_ARGV[0] AND target = OLD.id;
    RETURN NULL;
END $$;
"""
FORWARD = FUNCTIONS + "".join(
    f"""
CREATE TRIGGER {kind}_keep_slug AFTER UPDATE OF slug ON {table}
    FOR EACH ROW WHEN (OLD.slug IS DISTINCT FROM NEW.slug)
    EXECUTE FUNCTION lavka_keep_slug('{kind}');
CREATE TRIGGER {kind}_forget_slugs AFTER DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION lavka_forget_slugs('{kind}');
"""
    for kind, table in KINDS.items()
)
BACKWARD = (
    "".join(
        f"""
DROP TRIGGER {kind}_keep_slug ON {table};
DROP TRIGGER {kind}_forget_slugs ON {table};
"""
        for kind, table in KINDS.items()
    )
    + "DROP FUNCTION lavka_keep_slug(); DROP FUNCTION lavka_forget_slugs();"
)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

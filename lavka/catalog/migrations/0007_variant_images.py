"""Pictures of variants; a trigger refuses a picture of another product."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION lavka_refuse_picture_of_another_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM catalog_variant AS variant
        JOIN catalog_productimage AS image ON image.product_id = variant.product_id
        WHERE variant.id = NEW.variant_id AND image.id = NEW.image_id
    ) THEN
        RAISE EXCEPTION 'a variant is shown by pictures of its product only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'variant_image_of_its_product';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER variant_image_of_its_product BEFORE INSERT OR UPDATE ON catalog_variantimage
    FOR EACH ROW EXECUTE FUNCTION lavka_refuse_picture_of_another_product();
"""
BACKWARD = """
DROP TRIGGER variant_image_of_its_product ON catalog_variantimage;
DROP FUNCTION lavka_refuse_picture_of_another_product();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_track_inventory"),
    ]

    operations = [
        migrations.CreateModel(
            name="VariantImage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variant_links",
                        to="catalog.productimage",
                        verbose_name="picture",
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="image_links",
                        to="catalog.variant",
                        verbose_name="variant",
                    ),
                ),
            ],
            options={
                "verbose_name": "picture of a variant",
                "verbose_name_plural": "pictures of variants",
                "ordering": ["position", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("variant", "image"), name="variant_image_once")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

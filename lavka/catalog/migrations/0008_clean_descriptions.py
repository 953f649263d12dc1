from typing import Any

from django.db import migrations

import lavka.kernel.rich_text

BATCH = 500


def clean_descriptions(apps: Any, schema_editor: Any) -> None:
    """Take out of stored descriptions what could run; products are listed anew by their events."""
    for name in ("Brand", "Category"):
        for _row in _cleaned(apps.get_model("catalog", name)):
            pass
    outbox = apps.get_model("kernel", "OutboxEvent")
    for row in _cleaned(apps.get_model("catalog", "Product")):
        outbox.objects.create(
            name="catalog.product_changed",
            aggregate=row.pk,
            payload={"product_id": str(row.pk)},
        )


def _cleaned(model: Any) -> Any:
    """Rows whose description was not clean, and is now."""
    marked_up = model.objects.filter(description__contains="<").only("pk", "description")
    for row in marked_up.order_by("pk").iterator(chunk_size=BATCH):
        clean = lavka.kernel.rich_text.clean_html(row.description)
        if clean != row.description:
            model.objects.filter(pk=row.pk).update(description=clean)
            yield row


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_variant_images"),
        ("kernel", "0004_a_log_of_events"),
    ]

    operations = [
        *(
            migrations.AlterField(
                model_name=name,
                name="description",
                field=lavka.kernel.rich_text.RichTextField(
                    blank=True,
                    help_text="HTML; what could run in a browser is taken out.",
                    verbose_name="description",
                ),
            )
            for name in ("brand", "category", "product")
        ),
        # What was taken out is gone for good.
        migrations.RunPython(clean_descriptions, migrations.RunPython.noop, elidable=True),
    ]

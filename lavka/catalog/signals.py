"""A changed catalogue row appends events to the same commit: by the API, the admin or a shell."""

from typing import Any

from django.db.models.signals import ModelSignal, post_delete, post_save
from django.dispatch import receiver

from lavka.catalog.events import (
    AttributeChanged,
    BrandChanged,
    CategoryChanged,
    ImageAdded,
    ImageRemoved,
)
from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Choice,
    Product,
    ProductImage,
    TypeAttribute,
    Variant,
)
from lavka.catalog.services.announcements import announce_products, product_changed
from lavka.kernel import events


@receiver([post_save, post_delete], sender=Product)
def append_product_changed(instance: Product, signal: ModelSignal, **_: Any) -> None:
    """Append ProductChanged."""
    events.publish(product_changed(instance, is_deleted=signal is post_delete))


@receiver([post_save, post_delete], sender=Variant)
@receiver([post_save, post_delete], sender=ProductImage)
def append_part_changed(instance: Variant | ProductImage, **_: Any) -> None:
    """Append ProductChanged for the product that the row belongs to."""
    announce_products(product_ids=[instance.product_id])


@receiver(post_save, sender=ProductImage)
def append_image_added(instance: ProductImage, created: bool, **_: Any) -> None:
    """Append ImageAdded for a new picture."""
    if created:
        events.publish(ImageAdded(image_id=instance.pk))


@receiver(post_delete, sender=ProductImage)
def append_image_removed(instance: ProductImage, **_: Any) -> None:
    """Append ImageRemoved."""
    events.publish(ImageRemoved(image_id=instance.pk, files=instance.stored_names))


# What was created a moment ago is shown with no product yet, so only changes are events.


@receiver(post_save, sender=Brand)
def append_brand_changed(instance: Brand, created: bool, **_: Any) -> None:
    """Append BrandChanged."""
    if not created:
        events.publish(BrandChanged(brand_id=instance.pk))


@receiver(post_save, sender=Category)
def append_category_changed(instance: Category, created: bool, **_: Any) -> None:
    """Append CategoryChanged."""
    if not created:
        events.publish(
            CategoryChanged(
                category_id=instance.pk, slug=instance.slug, parent_id=instance.parent_id
            )
        )


@receiver(post_save, sender=Attribute)
def append_attribute_changed(instance: Attribute, created: bool, **_: Any) -> None:
    """Append AttributeChanged."""
    if not created:
        events.publish(AttributeChanged(attribute_id=instance.pk))


@receiver(post_save, sender=Choice)
@receiver(post_save, sender=TypeAttribute)
def append_schema_changed(instance: Choice | TypeAttribute, created: bool, **_: Any) -> None:
    """Append AttributeChanged for the attribute that the row belongs to."""
    if not created:
        events.publish(AttributeChanged(attribute_id=instance.attribute_id))


@receiver(post_delete, sender=TypeAttribute)
def append_attribute_left_type(instance: TypeAttribute, **_: Any) -> None:
    """Append AttributeChanged; the type's products may have shown it empty."""
    events.publish(AttributeChanged(attribute_id=instance.attribute_id))

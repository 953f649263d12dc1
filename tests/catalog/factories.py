"""Goods for tests."""

import uuid
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from lavka.catalog import services
from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Choice,
    Product,
    ProductImage,
    ProductType,
    TypeAttribute,
    Variant,
)


def _unique(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:10]}"


def make_type(**overrides: Any) -> ProductType:
    code = _unique("type").replace("-", "_")
    return ProductType.objects.create(**{"code": code, "name": "Things"} | overrides)


def make_category(**overrides: Any) -> Category:
    return Category.objects.create(**{"slug": _unique("shelf"), "name": "Shelf"} | overrides)


def make_brand(**overrides: Any) -> Brand:
    return Brand.objects.create(**{"slug": _unique("brand"), "name": "Acme"} | overrides)


def make_product(**overrides: Any) -> Product:
    """A published product without variants."""
    fields = {
        "slug": _unique("thing"),
        "name": "Thing",
        "status": Product.Status.PUBLISHED,
    } | overrides
    if "product_type" not in fields:
        fields["product_type"] = make_type()
    return Product.objects.create(**fields)


def make_variant(**overrides: Any) -> Variant:
    """A variant that is sold without counting, unless it is said to be tracked."""
    fields = {"sku": _unique("SKU"), "price_amount": 1299, "track_inventory": False} | overrides
    if "product" not in fields:
        fields["product"] = make_product()
    return Variant.objects.create(**fields)


def make_attribute(*choices: str, **overrides: Any) -> Attribute:
    """An attribute; with choices, one of the kind choice."""
    fields = {
        "code": _unique("attribute").replace("-", "_"),
        "name": "Property",
        "kind": "choice" if choices else "text",
    } | overrides
    attribute = Attribute.objects.create(**fields)
    for position, code in enumerate(choices):
        Choice.objects.create(attribute=attribute, code=code, label=code.title(), position=position)
    return attribute


def use_attribute(product_type: ProductType, attribute: Attribute, **fields: Any) -> TypeAttribute:
    """Let a type use an attribute."""
    position = product_type.type_attributes.count()
    return TypeAttribute.objects.create(
        product_type=product_type, attribute=attribute, **{"position": position} | fields
    )


def make_kettle_type() -> ProductType:
    """Kettles: a color tells them apart, they have a volume and materials."""
    kettle = make_type(code="kettle", name="Kettle")
    color = make_attribute("red", "blue", code="color", name="Color")
    use_attribute(kettle, color, is_option=True)
    use_attribute(kettle, make_attribute(code="volume", kind="number"), is_required=True)
    use_attribute(kettle, make_attribute("steel", "glass", code="materials", kind="choices"))
    return kettle


def picture(width: int = 600, height: int = 400, file_format: str = "JPEG", **saved: Any) -> bytes:
    """A picture's bytes: its left half is red, its right half blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    buffer = BytesIO()
    image.save(buffer, file_format, **saved)
    return buffer.getvalue()


def make_image(**overrides: Any) -> ProductImage:
    """A stored picture of a product."""
    content = ContentFile(overrides.pop("content", None) or picture(), "picture.jpg")
    product = overrides.pop("product", None) or make_product()
    return services.add_image(product=product, content=content, **overrides)

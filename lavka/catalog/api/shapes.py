"""What the catalogue's JSON is made of: loaded rows in, plain values out, no query."""

from collections.abc import Sequence
from typing import Any

from django.core.files.storage import default_storage

from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Product,
    ProductImage,
    ProductType,
    Variant,
)
from lavka.catalog.rules import MAX_SEO_TEXT, SelectedOption, StoredPicture
from lavka.catalog.selectors import Link
from lavka.kernel.rich_text import text_of


def link_json(shelf: Brand | Category | Link) -> dict[str, Any]:
    """`ShelfLinkOutput`."""
    return {"slug": shelf.slug, "name": shelf.name}


def node_json(category: Any) -> dict[str, Any]:
    """`CategoryNodeOutput` of a row of `selectors.category_tree`."""
    return {
        "id": category.pk,
        "slug": category.slug,
        "name": category.name,
        "parent": category.parent.slug if category.parent else None,
        "depth": category.tree_depth,
    }


def brand_json(brand: Brand | Category) -> dict[str, Any]:
    """`BrandOutput`."""
    return _shelf(brand) | {
        "seo": {
            "title": brand.seo_title or brand.name,
            "description": brand.seo_description or text_of(brand.description, MAX_SEO_TEXT),
        }
    }


def category_json(
    category: Category, breadcrumbs: Sequence[Link], children: Sequence[Category]
) -> dict[str, Any]:
    """`CategoryOutput`."""
    return brand_json(category) | {
        "breadcrumbs": [link_json(each) for each in breadcrumbs],
        "children": [link_json(each) for each in children],
    }


def managed_brand_json(brand: Brand) -> dict[str, Any]:
    """`ManagedBrandOutput`."""
    return _shelf(brand) | {
        "seo_title": brand.seo_title,
        "seo_description": brand.seo_description,
    }


def managed_category_json(category: Category) -> dict[str, Any]:
    """`ManagedCategoryOutput` of a category with its parent."""
    return _shelf(category) | {
        "seo_title": category.seo_title,
        "seo_description": category.seo_description,
        "parent": category.parent.slug if category.parent else None,
        "position": category.position,
    }


def attribute_json(attribute: Attribute) -> dict[str, Any]:
    """`ManagedAttributeOutput` of an attribute with its choices."""
    return {
        "id": attribute.pk,
        "code": attribute.code,
        "name": attribute.name,
        "kind": attribute.kind,
        "unit": attribute.unit,
        "choices": [{"code": each.code, "label": each.label} for each in attribute.choices.all()],
    }


def product_type_json(product_type: ProductType) -> dict[str, Any]:
    """`ManagedProductTypeOutput` of a type with its attributes."""
    return {
        "id": product_type.pk,
        "code": product_type.code,
        "name": product_type.name,
        "attributes": [
            {
                "attribute": use.attribute.code,
                "is_option": use.is_option,
                "is_required": use.is_required,
            }
            for use in product_type.type_attributes.all()
        ],
    }


def product_line_json(product: Product) -> dict[str, Any]:
    """`ManagedProductLineOutput` of a row of `selectors.products`."""
    return {
        "id": product.pk,
        "slug": product.slug,
        "name": product.name,
        "product_type": product.product_type.code,
        "brand": product.brand.slug if product.brand else None,
        "category": product.category.slug if product.category else None,
        "status": product.status,
        "publish_at": product.publish_at,
        "unpublish_at": product.unpublish_at,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }


def product_json(product: Product) -> dict[str, Any]:
    """`ManagedProductOutput` of a row of `selectors.whole_products`."""
    return product_line_json(product) | {
        "description": product.description,
        "attributes": product.attributes,
        "seo_title": product.seo_title,
        "seo_description": product.seo_description,
        "variants": [variant_json(each) for each in product.variants.all()],
        "images": [image_json(each) for each in product.images.all()],
    }


def variant_json(variant: Variant) -> dict[str, Any]:
    """`ManagedVariantOutput`; loads the links to pictures unless they are at hand."""
    before = variant.compare_at_price
    return {
        "id": variant.pk,
        "sku": variant.sku,
        "gtin": variant.gtin,
        "options": variant.options,
        "price": variant.price.as_json(),
        "compare_at_price": before.as_json() if before is not None else None,
        "cost": variant.cost.as_json() if variant.cost is not None else None,
        "track_inventory": variant.track_inventory,
        "is_in_stock": variant.is_in_stock,
        "weight_grams": variant.weight_grams,
        "image_ids": [link.image_id for link in variant.image_links.all()],
    }


def image_json(image: ProductImage) -> dict[str, Any]:
    """`ManagedImageOutput`."""
    return {"id": image.pk, "position": image.position, **_shown(image.picture)}


def picture_json(picture: StoredPicture | None) -> dict[str, Any] | None:
    """`ImageOutput`."""
    return None if picture is None else _shown(picture)


def variant_details_json(
    selected: Sequence[SelectedOption], picture: StoredPicture | None
) -> dict[str, Any]:
    """`VariantDetailsOutput`."""
    return {
        "options": {each["code"]: each["value"] for each in selected},
        "selected_options": selected,
        "image": picture_json(picture),
    }


def _shown(picture: StoredPicture) -> dict[str, Any]:
    return {
        "url": default_storage.url(picture["file"]),
        "alt": picture["alt"],
        "width": picture["width"],
        "height": picture["height"],
        "thumbnails": {
            width: default_storage.url(name) for width, name in picture["thumbnails"].items()
        },
    }


def _shelf(shelf: Brand | Category) -> dict[str, Any]:
    return {
        "id": shelf.pk,
        "slug": shelf.slug,
        "name": shelf.name,
        "description": shelf.description,
    }

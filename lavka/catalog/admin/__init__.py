"""The staff's pages for the catalogue."""

from lavka.catalog.admin.products import ProductAdmin, VariantAdmin
from lavka.catalog.admin.schema import AttributeAdmin, ProductTypeAdmin
from lavka.catalog.admin.shelves import BrandAdmin, CategoryAdmin, SlugHistoryAdmin

__all__ = [
    "AttributeAdmin",
    "BrandAdmin",
    "CategoryAdmin",
    "ProductAdmin",
    "ProductTypeAdmin",
    "SlugHistoryAdmin",
    "VariantAdmin",
]

"""Telling the shop that products look different."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from lavka.catalog.events import ProductChanged
from lavka.catalog.models import Product
from lavka.kernel import events


@transaction.atomic
def announce_products(*, product_ids: Sequence[UUID]) -> None:
    """Say that these products look different now. Emits: ProductChanged."""
    products = Product.objects.only("slug", "status").in_bulk(product_ids)
    events.publish_all(
        product_changed(products[product_id])
        if product_id in products
        else ProductChanged(product_id=product_id)
        for product_id in product_ids
    )


def product_changed(product: Product, *, is_deleted: bool = False) -> ProductChanged:
    """About this product, as it is now, or as it was when it was deleted."""
    return ProductChanged(
        product_id=product.pk, slug=product.slug, status=product.status, is_deleted=is_deleted
    )

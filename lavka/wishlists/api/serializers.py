"""Wishes on the wire."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.carts.models import MAX_QUANTITY
from lavka.catalog.api.serializers import StrictUUIDField
from lavka.catalog.models import Variant
from lavka.inventory.selectors import available_of
from lavka.web.serializers import (
    Input,
    MoneyOutput,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
)
from lavka.wishlists.models import StockAlert, Wishlist, WishlistItem


class WishlistInput(Input):
    """What the list is called."""

    name = StrictCharField(max_length=100)


class WishlistChangeInput(WishlistInput):
    """What may change about a list."""

    is_shared = StrictBooleanField(
        help_text=_("Sharing makes a link; hiding ends it, and the next one is another.")
    )


class MoveInput(Input):
    """Where a wish goes."""

    cart_id = StrictUUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)


class WishedProductOutput(Serializer):
    """The product of a variant."""

    slug = serializers.CharField()
    name = serializers.CharField()


class WishedVariantOutput(Serializer):
    """A variant as it can be bought now."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    product = WishedProductOutput()
    options = serializers.DictField(child=serializers.CharField())
    price = MoneyOutput()


class WishOutput(WishedVariantOutput):
    """A variant on a list."""

    in_stock = serializers.BooleanField()
    added_at = serializers.DateTimeField()


class SharedWishlistOutput(Serializer):
    """A list, as whoever has its link sees it."""

    name = serializers.CharField()
    items = WishOutput(many=True)


class WishlistOutput(SharedWishlistOutput):
    """A customer's own list, the newest wish first."""

    id = serializers.UUIDField()
    share_key = serializers.UUIDField(allow_null=True, help_text=_("Null while it is not shared."))
    created_at = serializers.DateTimeField()


class WishlistSummaryOutput(Serializer):
    """A list without what is on it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    share_key = serializers.UUIDField(allow_null=True)
    item_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class StockAlertOutput(WishedVariantOutput):
    """A variant that the customer waits for."""

    created_at = serializers.DateTimeField()


def summary_json(wishlist: Any) -> dict[str, Any]:
    """`WishlistSummaryOutput` of a list with its `item_count`."""
    return {
        "id": wishlist.pk,
        "name": wishlist.name,
        "share_key": wishlist.share_key,
        "item_count": wishlist.item_count,
        "created_at": wishlist.created_at,
    }


def shared_json(wishlist: Wishlist) -> dict[str, Any]:
    """`SharedWishlistOutput` of a list whose items are loaded; looks their stock up."""
    items = list(wishlist.items.all())
    available = available_of([item.variant_id for item in items])
    return {"name": wishlist.name, "items": [_wish_json(item, available) for item in items]}


def wishlist_json(wishlist: Wishlist) -> dict[str, Any]:
    """`WishlistOutput` of a list whose items are loaded; looks their stock up."""
    return shared_json(wishlist) | {
        "id": wishlist.pk,
        "share_key": wishlist.share_key,
        "created_at": wishlist.created_at,
    }


def alert_json(alert: StockAlert) -> dict[str, Any]:
    """`StockAlertOutput` of an alert whose variant and product are loaded."""
    return _variant_json(alert.variant) | {"created_at": alert.created_at}


def _wish_json(item: WishlistItem, available: Mapping[UUID, int | None]) -> dict[str, Any]:
    units = available.get(item.variant_id, 0)
    return _variant_json(item.variant) | {
        "in_stock": units is None or units > 0,
        "added_at": item.added_at,
    }


def _variant_json(variant: Variant) -> dict[str, Any]:
    return {
        "variant_id": variant.pk,
        "sku": variant.sku,
        "product": {"slug": variant.product.slug, "name": variant.product.name},
        "options": variant.options,
        "price": variant.price.as_json(),
    }

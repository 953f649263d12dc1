"""Wishes on the wire."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.carts.models import MAX_QUANTITY
from lavka.catalog.api.serializers import VariantDetailsOutput
from lavka.catalog.api.shapes import variant_details_json
from lavka.catalog.selectors import Article, articles_of
from lavka.inventory.selectors import available_of
from lavka.web.serializers import (
    Input,
    MoneyOutput,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictUUIDField,
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


class WishedVariantOutput(VariantDetailsOutput):
    """A variant as it can be bought now."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    product = WishedProductOutput()
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


def shared_json(wishlist: Wishlist, at: datetime.datetime) -> dict[str, Any]:
    """`SharedWishlistOutput` of a list whose items are loaded; looks variants and stock up."""
    items = list(wishlist.items.all())
    ids = [item.variant_id for item in items]
    articles, available = articles_of(ids, at), available_of(ids)
    return {
        "name": wishlist.name,
        "items": [
            _wish_json(item, articles[item.variant_id], available.get(item.variant_id, 0))
            for item in items
            if item.variant_id in articles
        ],
    }


def wishlist_json(wishlist: Wishlist, at: datetime.datetime) -> dict[str, Any]:
    """`WishlistOutput` of a list whose items are loaded; looks variants and stock up."""
    return shared_json(wishlist, at) | {
        "id": wishlist.pk,
        "share_key": wishlist.share_key,
        "created_at": wishlist.created_at,
    }


def alerts_json(alerts: Sequence[StockAlert], at: datetime.datetime) -> list[dict[str, Any]]:
    """`StockAlertOutput` of each alert whose variant is on sale: 1 query."""
    articles = articles_of([alert.variant_id for alert in alerts], at)
    return [
        _article_json(articles[alert.variant_id]) | {"created_at": alert.created_at}
        for alert in alerts
        if alert.variant_id in articles
    ]


def _wish_json(item: WishlistItem, article: Article, units: int | None) -> dict[str, Any]:
    return _article_json(article) | {
        "in_stock": units is None or units > 0,
        "added_at": item.added_at,
    }


def _article_json(article: Article) -> dict[str, Any]:
    return {
        "variant_id": article.variant_id,
        "sku": article.sku,
        "product": {"slug": article.product_slug, "name": article.product_name},
        **variant_details_json(article.selected_options, article.image),
        "price": article.price.as_json(),
    }

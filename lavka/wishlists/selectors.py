"""How wishes are read: what customers cannot see in the shop they do not see here."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, Count, Prefetch, Q, QuerySet

from lavka.catalog.models import Product, Variant
from lavka.wishlists.models import StockAlert, Wishlist, WishlistItem


def wishlists_of(owner_id: UUID, at: datetime.datetime) -> QuerySet[Wishlist]:
    """A customer's lists with how many things are on each, `item_count`: 1 query."""
    is_shown = Q(items__variant__product__in=Product.objects.published(at))
    lists = Wishlist.objects.filter(owner_id=owner_id)
    return lists.annotate(item_count=Count("items", filter=is_shown)).fetch_mode(FETCH_RAISE)


def own_wishlist(wishlist_id: UUID, owner_id: UUID, at: datetime.datetime) -> Wishlist:
    """A list with what is on it: 2 queries. Raises: Wishlist.DoesNotExist, for others too."""
    return _with_items(at).get(pk=wishlist_id, owner_id=owner_id)


def shared_wishlist(share_key: UUID, at: datetime.datetime) -> Wishlist:
    """The list that a link leads to, with what is on it: 2 queries.

    Raises: Wishlist.DoesNotExist, also when it is not shared any more.
    """
    return _with_items(at).get(share_key=share_key)


def alerts_of(customer_id: UUID, at: datetime.datetime) -> QuerySet[StockAlert]:
    """What a customer waits for: 1 query."""
    alerts = StockAlert.objects.filter(customer_id=customer_id)
    shown = alerts.filter(variant__product__in=Product.objects.published(at))
    return shown.fetch_mode(FETCH_RAISE)


def published_variants(at: datetime.datetime) -> QuerySet[Variant]:
    """The variants that customers see."""
    return Variant.objects.filter(product__in=Product.objects.published(at))


def _with_items(at: datetime.datetime) -> QuerySet[Wishlist]:
    items = (
        WishlistItem.objects.filter(variant__product__in=Product.objects.published(at))
        .order_by("-pk")
        .fetch_mode(FETCH_RAISE)
    )
    return Wishlist.objects.prefetch_related(Prefetch("items", items)).fetch_mode(FETCH_RAISE)

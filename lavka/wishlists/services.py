"""Every change of wishes, and telling who waits."""

import datetime
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.db import transaction

from lavka.carts import services as carts
from lavka.inventory.selectors import available_of
from lavka.kernel import events
from lavka.kernel.errors import Unauthenticated
from lavka.wishlists import selectors
from lavka.wishlists.errors import StillInStock, TooManyAlerts, TooManyWishlists, WishlistFull
from lavka.wishlists.events import AlertTriggered
from lavka.wishlists.models import (
    MAX_ALERTS,
    MAX_ITEMS,
    MAX_LISTS,
    StockAlert,
    Wishlist,
    WishlistItem,
)


@transaction.atomic
def create_wishlist(*, owner_id: UUID, name: str) -> Wishlist:
    """Begin a list that only its owner sees.

    Raises: TooManyWishlists, with `limit`; Unauthenticated, for an account that was closed.
    Locks: the owner's row, so that the count holds.
    """
    _lock_customer(owner_id)
    if Wishlist.objects.filter(owner_id=owner_id).count() >= MAX_LISTS:
        raise TooManyWishlists(limit=MAX_LISTS)
    return Wishlist.objects.create(owner_id=owner_id, name=name)


@transaction.atomic
def update_wishlist(
    *, wishlist_id: UUID, owner_id: UUID, name: str | None = None, is_shared: bool | None = None
) -> None:
    """Rename, share or hide a list; shared once more it has another link.

    Raises: Wishlist.DoesNotExist. Locks: the list.
    """
    wishlist = _lock_wishlist(wishlist_id, owner_id)
    if name is not None:
        wishlist.name = name
    if is_shared is False:
        wishlist.share_key = None
    elif is_shared and wishlist.share_key is None:
        wishlist.share_key = uuid4()
    wishlist.save()


@transaction.atomic
def delete_wishlist(*, wishlist_id: UUID, owner_id: UUID) -> None:
    """Throw a list away; raises Wishlist.DoesNotExist."""
    Wishlist.objects.select_for_update().get(pk=wishlist_id, owner_id=owner_id).delete()


@transaction.atomic
def add_item(*, wishlist_id: UUID, owner_id: UUID, variant_id: UUID, at: datetime.datetime) -> None:
    """Put a variant on a list, once however often this is called.

    Raises: Wishlist.DoesNotExist; Variant.DoesNotExist, for what customers cannot see;
    WishlistFull, with `limit`. Locks: the list.
    """
    wishlist = _lock_wishlist(wishlist_id, owner_id)
    variant = selectors.published_variants(at).get(pk=variant_id)
    if wishlist.items.filter(variant=variant).exists():
        return
    if wishlist.items.count() >= MAX_ITEMS:
        raise WishlistFull(limit=MAX_ITEMS)
    WishlistItem.objects.create(wishlist=wishlist, variant=variant)


@transaction.atomic
def remove_item(*, wishlist_id: UUID, owner_id: UUID, variant_id: UUID) -> None:
    """Take a variant off a list, if it is on it; raises Wishlist.DoesNotExist."""
    _lock_wishlist(wishlist_id, owner_id).items.filter(variant_id=variant_id).delete()


@transaction.atomic
def move_to_cart(
    *,
    wishlist_id: UUID,
    owner_id: UUID,
    variant_id: UUID,
    cart_id: UUID,
    quantity: int,
    at: datetime.datetime,
) -> None:
    """Take a variant off a list and put so many pieces of it into a cart, both or neither.

    Raises: Wishlist.DoesNotExist; WishlistItem.DoesNotExist; and as `carts.add_line`.
    Locks: the list, then the cart.
    """
    _lock_wishlist(wishlist_id, owner_id).items.get(variant_id=variant_id).delete()
    carts.add_line(
        cart_id=cart_id, caller_id=owner_id, variant_id=variant_id, quantity=quantity, at=at
    )


@transaction.atomic
def wait_for(*, customer_id: UUID, variant_id: UUID, at: datetime.datetime) -> None:
    """Tell the customer once when a variant is back, however often this is called.

    Raises: Variant.DoesNotExist, for what customers cannot see; StillInStock; TooManyAlerts,
    with `limit`; Unauthenticated, for an account that was closed.
    Locks: the customer's row, so that the count holds.
    """
    _lock_customer(customer_id)
    variant = selectors.published_variants(at).get(pk=variant_id)
    if _is_available(variant_id):
        raise StillInStock
    alerts = StockAlert.objects.filter(customer_id=customer_id)
    if alerts.filter(variant=variant).exists():
        return
    if alerts.count() >= MAX_ALERTS:
        raise TooManyAlerts(limit=MAX_ALERTS)
    StockAlert.objects.create(customer_id=customer_id, variant=variant)


@transaction.atomic
def wait_no_more(*, customer_id: UUID, variant_id: UUID) -> None:
    """Forget that the customer waits for a variant, if they do."""
    StockAlert.objects.filter(customer_id=customer_id, variant_id=variant_id).delete()


@transaction.atomic
def trigger_alerts(*, variant_id: UUID, at: datetime.datetime, limit: int) -> int:
    """Tell up to `limit` of those who wait for a variant, and let them wait no more.

    Returns how many; nobody while it cannot be bought, or cannot be seen. Each alert goes in the
    commit that tells of it, so it is told once.
    Locks: the alerts; those that somebody else has locked are theirs.
    Emits: AlertTriggered, for each.
    """
    is_seen = selectors.published_variants(at).filter(pk=variant_id).exists()
    if not (is_seen and _is_available(variant_id)):
        return 0
    waiting = StockAlert.objects.filter(variant_id=variant_id).order_by("pk")
    alerts = list(waiting.select_for_update(of=("self",), skip_locked=True)[:limit])
    events.publish_all(
        AlertTriggered(user_id=alert.customer_id, variant_id=variant_id) for alert in alerts
    )
    StockAlert.objects.filter(pk__in=[alert.pk for alert in alerts]).delete()
    return len(alerts)


@transaction.atomic
def forget_customer(*, customer_id: UUID) -> None:
    """Delete what a closed account wished and waited for."""
    Wishlist.objects.filter(owner_id=customer_id).delete()
    StockAlert.objects.filter(customer_id=customer_id).delete()


def _is_available(variant_id: UUID) -> bool:
    units = available_of([variant_id]).get(variant_id, 0)
    return units is None or units > 0


def _lock_customer(customer_id: UUID) -> None:
    customers = get_user_model().objects.filter(pk=customer_id, is_active=True)
    if not customers.select_for_update(no_key=True).exists():
        raise Unauthenticated


def _lock_wishlist(wishlist_id: UUID, owner_id: UUID) -> Wishlist:
    locked = Wishlist.objects.select_for_update(no_key=True)
    return locked.get(pk=wishlist_id, owner_id=owner_id)

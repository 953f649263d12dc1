"""How a cart is taken and put back."""

import datetime
from uuid import UUID

from django.db.models import QuerySet

from lavka.carts.errors import CartClosed
from lavka.carts.models import Cart
from lavka.inventory import services as inventory
from lavka.kernel import rows
from lavka.kernel.conf import options


def expiry_of(at: datetime.datetime) -> datetime.datetime:
    """When a cart that is changed now is forgotten."""
    return at + datetime.timedelta(days=options.carts_kept_days)


@rows.Compiled
def locked_cart(cart_id: UUID) -> QuerySet[Cart]:
    """The cart, whoever asks. Locks: the cart."""
    return Cart.objects.locked().filter(pk=cart_id)


@rows.Compiled
def reachable_cart(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> QuerySet[Cart]:
    """The cart, for whoever may reach it. Locks: the cart."""
    return Cart.objects.reachable(caller_id, at).locked().filter(pk=cart_id)


def open_cart(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> Cart:
    """The cart, for a change by whoever may reach it.

    Raises: Cart.DoesNotExist; CartClosed. Locks: the cart.
    """
    cart = reachable_cart.get(cart_id, caller_id, at)
    if cart.status != Cart.Status.OPEN:
        raise CartClosed(status=cart.status)
    return cart


def put_back(cart: Cart, at: datetime.datetime, *changed: str) -> None:
    """Save a changed cart and begin its time anew, and that of the stock that a quote holds."""
    cart.changed_at, cart.expires_at = at, expiry_of(at)
    rows.update(cart, "changed_at", "expires_at", *changed)
    until = at + datetime.timedelta(seconds=options.hold_seconds)
    inventory.extend_reservation(holder=cart.pk, until=until)

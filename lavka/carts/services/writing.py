"""How a cart is taken and put back."""

import datetime
from uuid import UUID

from lavka.carts.errors import CartClosed
from lavka.carts.models import Cart
from lavka.inventory import services as inventory
from lavka.kernel.conf import options


def expiry_of(at: datetime.datetime) -> datetime.datetime:
    """When a cart that is changed now is forgotten."""
    return at + datetime.timedelta(days=options.carts_kept_days)


def open_cart(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> Cart:
    """The cart, for a change by whoever may reach it.

    Raises: Cart.DoesNotExist; CartClosed. Locks: the cart.
    """
    cart = Cart.objects.reachable(caller_id, at).locked().get(pk=cart_id)
    if cart.status != Cart.Status.OPEN:
        raise CartClosed(status=cart.status)
    return cart


def put_back(cart: Cart, at: datetime.datetime, *changed: str) -> None:
    """Save a changed cart and begin its time anew, and that of the stock that a quote holds."""
    cart.changed_at, cart.expires_at = at, expiry_of(at)
    cart.save(update_fields=["changed_at", "expires_at", *changed])
    until = at + datetime.timedelta(seconds=options.hold_seconds)
    inventory.extend_reservation(holder=cart.pk, until=until)

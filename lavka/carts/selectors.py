"""How carts are read; reading never writes."""

import datetime
from uuid import UUID

from lavka.carts import pricing
from lavka.carts.models import Cart
from lavka.carts.pricing import PricedCart


def priced_cart(cart_id: UUID, at: datetime.datetime) -> PricedCart:
    """The cart with prices, stock, tax and shipping as they are now: 6 queries at most.

    Raises: Cart.DoesNotExist. Who may see it is for the caller to check.
    """
    cart = Cart.objects.get(pk=cart_id)
    return pricing.price(cart, list(cart.lines.order_by("id")), at)


def cart_seen_by(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> PricedCart:
    """The cart, for whoever may reach it; raises Cart.DoesNotExist for others."""
    cart = Cart.objects.reachable(caller_id, at).get(pk=cart_id)
    return pricing.price(cart, list(cart.lines.order_by("id")), at)


def current_cart_id(owner_id: UUID, at: datetime.datetime) -> UUID | None:
    """The open cart that the customer changed last, if there is one: 1 query."""
    own = Cart.objects.filter(owner_id=owner_id, status=Cart.Status.OPEN, expires_at__gt=at)
    return own.order_by("-changed_at").values_list("pk", flat=True).first()

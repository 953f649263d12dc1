"""How carts are read; reading never writes."""

import datetime
from uuid import UUID

from django.db.models import QuerySet

from lavka.carts import pricing
from lavka.carts.models import Cart, CartLine
from lavka.carts.pricing import PricedCart
from lavka.kernel import rows


@rows.Compiled
def _cart(cart_id: UUID) -> QuerySet[Cart]:
    return Cart.objects.filter(pk=cart_id)


@rows.Compiled
def _reachable_cart(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> QuerySet[Cart]:
    return Cart.objects.reachable(caller_id, at).filter(pk=cart_id)


@rows.Compiled
def _lines(cart_id: UUID) -> QuerySet[CartLine]:
    return CartLine.objects.filter(cart_id=cart_id).order_by("id")


def priced_cart(cart_id: UUID, at: datetime.datetime) -> PricedCart:
    """The cart with prices, stock, tax and shipping as they are now: 6 queries at most.

    Raises: Cart.DoesNotExist. Who may see it is for the caller to check.
    """
    cart = _cart.get(cart_id)
    return pricing.price(cart, lines_of(cart), at)


def cart_seen_by(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> PricedCart:
    """The cart, for whoever may reach it; raises Cart.DoesNotExist for others."""
    cart = _reachable_cart.get(cart_id, caller_id, at)
    return pricing.price(cart, lines_of(cart), at)


def require_reachable(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> None:
    """Raises Cart.DoesNotExist for who may not reach the cart: 1 query."""
    _reachable_cart.get(cart_id, caller_id, at)


def lines_of(cart: Cart) -> list[CartLine]:
    """A cart's lines in the order in which they came: 1 query."""
    return _lines.all(cart.pk)


def current_cart_id(owner_id: UUID, at: datetime.datetime) -> UUID | None:
    """The open cart that the customer changed last, if there is one: 1 query."""
    own = Cart.objects.filter(owner_id=owner_id, status=Cart.Status.OPEN, expires_at__gt=at)
    return own.order_by("-changed_at").values_list("pk", flat=True).first()

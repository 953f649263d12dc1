"""Carts for tests."""

import uuid
from typing import Any

from django.utils import timezone

from lavka.accounts.models import User
from lavka.carts import services
from lavka.carts.models import Cart, CartLine
from lavka.catalog.models import Variant
from tests.catalog.factories import make_variant

ADDRESS = {
    "name": "Ada",
    "line1": "12 St James's Square",
    "line2": "",
    "city": "London",
    "region": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "phone": "",
}


def make_cart(owner: User | None = None, **overrides: Any) -> Cart:
    cart = services.create_cart(owner_id=owner.pk if owner else None, at=timezone.now())
    Cart.objects.filter(pk=cart.pk).update(**overrides)
    cart.refresh_from_db()
    return cart


def put_in(cart: Cart, quantity: int = 1, variant: Variant | None = None) -> CartLine:
    """The line after so many pieces were added."""
    variant = variant or make_variant()
    services.add_line(
        cart_id=cart.pk,
        caller_id=cart.owner_id,
        variant_id=variant.pk,
        quantity=quantity,
        at=timezone.now(),
    )
    return cart.lines.get(variant_id=variant.pk)


def in_cart(cart_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """Pieces by variant."""
    lines = CartLine.objects.filter(cart_id=cart_id)
    return dict(lines.values_list("variant_id", "quantity"))

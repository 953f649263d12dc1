"""Fills a shop with carts that are ready to be bought; runs inside the shop's own process."""

import json
import sys
from itertools import cycle
from typing import Any

from django.utils import timezone

from lavka.accounts.models import User
from lavka.carts.models import Cart, CartLine
from lavka.catalog.models import Variant
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from tests.accounts.factories import make_staff, token_of
from tests.carts.factories import ADDRESS
from tests.inventory.factories import make_stock
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate


def print_rounds(*, rounds: int, buyers: int, on_hand: list[int]) -> None:
    """Print as JSON, for each round, new variants with so many units and `buyers` carts.

    Each cart has one piece of every variant; every other cart has them in the opposite order.
    """
    sys.stdout.write(json.dumps([_round(buyers, on_hand) for _ in range(rounds)]))


def print_staff_token() -> None:
    """Print an access token of a superuser."""
    sys.stdout.write(token_of(User.objects.filter(is_superuser=True).first() or make_staff()))


def _round(buyers: int, on_hand: list[int]) -> dict[str, Any]:
    variants = [make_stock(units) for units in on_hand]
    rate = ShippingRate.objects.first() or make_shipping_rate()
    if not TaxRate.objects.exists():
        make_tax_rate("GB", "20")
    now = timezone.now()
    carts = Cart.objects.bulk_create(
        Cart(
            currency="USD",
            email=f"buyer{number}@example.com",
            shipping_address=ADDRESS,
            shipping_option_id=str(rate.pk),
            changed_at=now,
            expires_at=now + timezone.timedelta(days=1),
        )
        for number in range(buyers)
    )
    for cart, order in zip(carts, cycle([variants, variants[::-1]]), strict=False):
        CartLine.objects.bulk_create(_line(cart, variant) for variant in order)
    return {
        "variants": [str(variant.pk) for variant in variants],
        "carts": [str(cart.pk) for cart in carts],
    }


def _line(cart: Cart, variant: Variant) -> CartLine:
    return CartLine(
        cart=cart,
        variant_id=variant.pk,
        quantity=1,
        sku=variant.sku,
        product_slug=variant.product.slug,
        product_name=variant.product.name,
        unit_price_amount=variant.price_amount,
    )

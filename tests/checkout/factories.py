"""Carts that are ready to be bought."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from lavka.accounts.models import User
from lavka.carts.models import Cart
from lavka.catalog.models import Variant
from lavka.checkout import flows, services
from lavka.checkout.errors import FreeOrderRefused, PayLaterRefused
from lavka.orders.models import Order
from lavka.payments.rules import PaymentInput
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from tests.carts.factories import ADDRESS, make_cart, put_in
from tests.client import Api
from tests.inventory.factories import make_stock
from tests.payments.factories import run
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

INVOICE = PaymentInput(method="invoice", token="")


def make_ready_cart(*variants: Variant, quantity: int = 1, owner: Any = None) -> Cart:
    """A cart with an address and a way of shipping that costs 500, and 20 % tax."""
    rate = ShippingRate.objects.first() or make_shipping_rate()
    if not TaxRate.objects.exists():
        make_tax_rate("GB", "20")
    cart = make_cart(
        owner,
        email="ada@example.com",
        shipping_address=ADDRESS,
        shipping_option_id=str(rate.pk),
    )
    for variant in variants or (make_stock(10),):
        put_in(cart, quantity, variant)
    return cart


def make_cart_for(email: str, *variants: Variant, owner: User | None = None, **of: Any) -> Cart:
    cart = make_ready_cart(*(variants or (make_stock(50),)), owner=owner, **of)
    Cart.objects.filter(pk=cart.pk).update(email=email)
    return cart


def order_by_invoice(
    email: str,
    *variants: Variant,
    address: str = "203.0.113.7",
    owner: User | None = None,
    **of: Any,
) -> Order | type[Exception]:
    """The order, or how it was refused."""
    cart = make_cart_for(email, *variants, owner=owner, **of)
    buyer = services.Buyer(id=owner and owner.pk, language="en", address=address)
    quote = services.create_quote(cart_id=cart.pk, buyer=buyer, at=timezone.now())
    try:
        return run(flows.buy, cart_id=cart.pk, quote_id=quote.pk, buyer=buyer, means=INVOICE)
    except (PayLaterRefused, FreeOrderRefused) as refused:
        return type(refused)


def count_of(outcomes: list[Any]) -> int:
    return sum(isinstance(each, Order) for each in outcomes)


class Buyer:
    """Somebody who buys a cart over the API."""

    def __init__(self, api: Api, cart: Cart, token: str = "") -> None:
        self.api, self.cart, self.token = api, cart, token

    def quote(self) -> HttpResponse:
        return self.api.post(f"/carts/{self.cart.pk}/quote/", token=self.token)

    def check_out(
        self, quote_id: str = "", *, means: str = "success", key: str = "", method: str = "sandbox"
    ) -> HttpResponse:
        body = {
            "quote_id": quote_id or self.quote().json()["id"],
            "payment": {"method": method, "token": means},
        }
        return self.api.post(
            f"/carts/{self.cart.pk}/checkout/",
            body,
            token=self.token,
            Idempotency_Key=key or str(uuid.uuid4()),
        )

    def state(self) -> HttpResponse:
        return self.api.get(f"/carts/{self.cart.pk}/checkout/", token=self.token)

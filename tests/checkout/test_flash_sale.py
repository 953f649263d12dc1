"""A flash sale: many honest guests, few units, and one hoarder with many carts."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from lavka.carts.models import Cart, CartLine
from lavka.catalog.models import Variant
from lavka.checkout import flows, services
from lavka.checkout.services import Buyer
from lavka.inventory import services as inventory
from lavka.inventory.models import Reservation
from lavka.kernel.errors import ShopError
from lavka.orders.models import Order
from lavka.payments.rules import PaymentInput
from tests.carts.factories import ADDRESS
from tests.inventory.factories import counters, make_stock
from tests.payments.factories import run
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

pytestmark = pytest.mark.django_db(transaction=True)

UNITS, GUESTS, CARTS = 50, 500, 200
OFFICE, HOARDER = "203.0.113.7", "198.51.100.66"
UNLIMITED = {"HOLD_UNITS": {"address": 0}, "HOLD_SHARE_PERCENT": {"address": 0}}


class Sale:
    """The clock, the goods, and everybody's carts, ready to be bought."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened_at = self.now = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        self.variant = make_stock(UNITS)
        self.rate = make_shipping_rate()
        make_tax_rate("GB", "20")
        self.hoard = self.carts(CARTS, "hoarder@example.com")
        self.quotes: dict[UUID, UUID] = {}
        self.most_hoarded = 0

    def carts(self, count: int, email: str) -> list[UUID]:
        carts = Cart.objects.bulk_create(
            Cart(
                currency="USD",
                email=email,
                shipping_address=ADDRESS,
                shipping_option_id=str(self.rate.pk),
                changed_at=self.now,
                expires_at=self.now + datetime.timedelta(days=1),
            )
            for _ in range(count)
        )
        CartLine.objects.bulk_create(_line(cart, self.variant) for cart in carts)
        return [cart.pk for cart in carts]

    def wait(self, seconds: int) -> None:
        self.now += datetime.timedelta(seconds=seconds)

    def hoard_with(self, cart_ids: Iterable[UUID]) -> None:
        """Go on to a bank that asks for more with each cart, and never come back."""
        for cart_id in cart_ids:
            self._quietly(self._begin, cart_id)
        kept = Reservation.objects.exclude(hold__expires_at__lte=self.now)
        self.most_hoarded = max(self.most_hoarded, kept.count())

    def _begin(self, cart_id: UUID) -> None:
        buyer = Buyer(id=None, language="en", address=HOARDER)
        if cart_id not in self.quotes:
            quote = services.create_quote(cart_id=cart_id, buyer=buyer, at=self.now)
            self.quotes[cart_id] = quote.pk
        services.prepare(
            cart_id=cart_id,
            quote_id=self.quotes[cart_id],
            buyer=buyer,
            means=PaymentInput(method="sandbox", token=f"requires_action {self.now}"),
            at=self.now,
        )

    def buy_with(self, cart_ids: Iterable[UUID]) -> Counter[str]:
        """Several guests at a time; a tenth of them sit in one office."""

        def buy(guest: tuple[int, UUID]) -> str:
            number, cart_id = guest
            address = OFFICE if number % 10 == 0 else f"10.0.{number // 250}.{number % 250}"
            buyer = Buyer(id=None, language="en", address=address)
            try:
                return self._quietly(self._buy, cart_id, buyer)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            return Counter(pool.map(buy, enumerate(cart_ids)))

    def _buy(self, cart_id: UUID, buyer: Buyer) -> None:
        quote = services.create_quote(cart_id=cart_id, buyer=buyer, at=self.now)
        means = PaymentInput(method="sandbox", token="success")
        run(flows.buy, cart_id=cart_id, quote_id=quote.pk, buyer=buyer, means=means)

    def _quietly(self, call: Callable[..., None], *arguments: Any) -> str:
        try:
            call(*arguments)
        except ShopError as refused:
            return refused.code
        return "bought"


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


def sell(sale: Sale, guests: int) -> Counter[str]:
    """The hoarder comes first and again, and honest guests come from the beginning to the end."""
    early = sale.carts(guests * 7 // 10, "guest@example.com")
    late = sale.carts(guests - len(early), "guest@example.com")
    sale.hoard_with(sale.hoard)
    outcomes = sale.buy_with(early)
    sale.wait(45)
    sale.hoard_with(sale.hoard[:20])
    sale.wait(45)
    inventory.release_expired(at=sale.now, limit=CARTS)
    sale.hoard_with(sale.hoard[-60:])
    outcomes += sale.buy_with(late)
    assert sale.now - sale.opened_at < datetime.timedelta(minutes=2)
    return outcomes


def test_honest_guests_buy_all_of_it_within_two_minutes(monkeypatch):
    sale = Sale(monkeypatch)

    outcomes = sell(sale, GUESTS)

    assert outcomes == {"bought": UNITS, "out_of_stock": GUESTS - UNITS}
    assert set(Order.objects.placed().values_list("email", flat=True)) == {"guest@example.com"}
    assert counters(sale.variant.pk) == (UNITS, UNITS)
    assert sale.most_hoarded == 10


def test_control_without_limits_the_hoarder_keeps_all_of_it(settings, monkeypatch):
    settings.LAVKA = settings.LAVKA | UNLIMITED
    sale = Sale(monkeypatch)

    outcomes = sell(sale, UNITS)

    assert outcomes == {"out_of_stock": UNITS}
    assert sale.most_hoarded == UNITS

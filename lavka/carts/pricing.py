"""A cart as it stands now: prices, stock, tax and shipping, read afresh and never stored."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from lavka.carts import rules
from lavka.carts.models import Cart, CartLine
from lavka.carts.rules import Totals
from lavka.catalog.rules import SelectedOption, StoredPicture
from lavka.catalog.selectors import Article, articles_of
from lavka.inventory.errors import shortage
from lavka.inventory.selectors import available_for
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.shipping.options import Parcel, ShippingOption
from lavka.shipping.options import rates as shipping_rates
from lavka.tax.calculator import Taxable
from lavka.tax.calculator import calculator as tax_calculator
from lavka.tax.rules import TaxShare, sum_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What the customer should know: `code` is for programs, `details` are ids and numbers."""

    code: str
    detail: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The wire shape: `{code, detail, …}`."""
        return {"code": self.code, "detail": self.detail, **self.details}


@dataclass(frozen=True, kw_only=True, slots=True)
class PricedLine:
    """One line as it can be bought now; amounts are in minor units.

    `quantity` is what there is of the `requested` pieces. `product_id` is None when the product
    is gone.
    """

    id: UUID
    variant_id: UUID
    product_id: UUID | None
    product_slug: str
    product_name: str
    sku: str
    options: Mapping[str, str]
    selected_options: Sequence[SelectedOption]
    image: StoredPicture | None
    weight_grams: int
    requested: int
    quantity: int
    unit_price: int
    discount: int = 0
    taxes: Sequence[TaxShare] = ()
    messages: tuple[Message, ...] = ()

    @property
    def tax(self) -> int:
        """Of all pieces, at every rate."""
        return sum_of(self.taxes)

    @property
    def subtotal(self) -> int:
        """All pieces, before discount."""
        return self.unit_price * self.quantity

    @property
    def total(self) -> int:
        """All pieces, after discount, before a tax that is added."""
        return self.subtotal - self.discount


@dataclass(frozen=True, kw_only=True, slots=True)
class PricedCart:
    """A cart at one instant, whole and immutable."""

    id: UUID
    owner_id: UUID | None
    status: str
    currency: str
    email: str
    vat_number: str
    shipping_address: Mapping[str, str] | None
    billing_address: Mapping[str, str] | None
    shipping_option: ShippingOption | None
    shipping_options: Sequence[ShippingOption]
    lines: tuple[PricedLine, ...]
    totals: Totals
    messages: tuple[Message, ...]
    expires_at: datetime.datetime

    @property
    def quantities(self) -> dict[UUID, int]:
        """What can be bought now: variant id → pieces, without lines of none."""
        return {line.variant_id: line.quantity for line in self.lines if line.quantity}

    @property
    def shortages(self) -> list[dict[str, object]]:
        """Lines that cannot be bought as they were asked for, as `OutOfStock` tells them."""
        return [
            shortage(line.variant_id, requested=line.requested, available=line.quantity)
            for line in self.lines
            if line.quantity < line.requested
        ]


def price(
    cart: Cart, lines: Sequence[CartLine], at: datetime.datetime, *, has_details: bool = True
) -> PricedCart:
    """Look every line up and add it all together: 4 queries at most.

    `has_details=False` leaves out labels of options and pictures.
    Raises: CurrencyMismatch, for a cart from before the shop sold in another currency.
    """
    priced = _with_discount(_looked_up(cart, lines, at, has_details), 0)
    subtotal = sum(line.subtotal for line in priced)
    discount = sum(line.discount for line in priced)
    ways = _ways(cart, priced, subtotal - discount)
    chosen = next((each for each in ways if each.id == cart.shipping_option_id), None)
    shipping = chosen.price.amount if chosen else 0
    *taxes, shipping_taxes = _taxes(cart, priced, shipping, at)
    priced = [replace(line, taxes=each) for line, each in zip(priced, taxes, strict=True)]
    return PricedCart(
        id=cart.pk,
        owner_id=cart.owner_id,
        status=cart.status,
        currency=cart.currency,
        email=cart.email,
        vat_number=cart.vat_number,
        shipping_address=cart.shipping_address,
        billing_address=cart.billing_address,
        shipping_option=chosen,
        shipping_options=ways,
        lines=tuple(priced),
        totals=Totals(
            subtotal=subtotal,
            discount=discount,
            shipping=shipping,
            shipping_taxes=shipping_taxes,
            tax=sum(map(sum_of, [*taxes, shipping_taxes])),
            is_tax_included=options.prices_include_tax,
        ),
        messages=(_option_gone(),) if cart.shipping_option_id and chosen is None else (),
        expires_at=cart.expires_at,
    )


def _looked_up(
    cart: Cart, lines: Sequence[CartLine], at: datetime.datetime, has_details: bool
) -> list[PricedLine]:
    ids = [line.variant_id for line in lines]
    articles = articles_of(ids, at, has_details=has_details)
    wanted = {line.variant_id: line.quantity for line in lines}
    is_open = cart.status == Cart.Status.OPEN
    available = available_for(wanted, at, holder=cart.pk) if is_open else {}
    return [
        _line(line, articles[line.variant_id], available.get(line.variant_id), cart.currency)
        if line.variant_id in articles
        else _gone(line)
        for line in lines
    ]


def _gone(line: CartLine) -> PricedLine:
    detail = _("%(name)s is no longer sold.") % {"name": line.product_name}
    return PricedLine(
        id=line.pk,
        variant_id=line.variant_id,
        product_id=None,
        product_slug=line.product_slug,
        product_name=line.product_name,
        sku=line.sku,
        options={},
        selected_options=(),
        image=None,
        weight_grams=0,
        requested=line.quantity,
        quantity=0,
        unit_price=line.unit_price_amount,
        messages=(Message(code="product_gone", detail=detail),),
    )


def _line(line: CartLine, article: Article, available: int | None, currency: str) -> PricedLine:
    quantity = line.quantity if available is None else max(min(line.quantity, available), 0)
    messages = _stock_messages(line, quantity) + _price_messages(line, article, currency)
    return PricedLine(
        id=line.pk,
        variant_id=article.variant_id,
        product_id=article.product_id,
        product_slug=article.product_slug,
        product_name=article.product_name,
        sku=article.sku,
        options=article.options,
        selected_options=article.selected_options,
        image=article.image,
        weight_grams=article.weight_grams,
        requested=line.quantity,
        quantity=quantity,
        unit_price=article.price.require(currency).amount,
        messages=messages,
    )


def _stock_messages(line: CartLine, quantity: int) -> tuple[Message, ...]:
    if quantity == line.quantity:
        return ()
    details = {"requested": line.quantity, "available": quantity}
    if quantity == 0:
        detail = _("%(name)s is out of stock.") % {"name": line.product_name}
        return (Message(code="out_of_stock", detail=detail, details=details),)
    detail = _("Only %(quantity)d of %(name)s are left.") % {
        "quantity": quantity,
        "name": line.product_name,
    }
    return (Message(code="quantity_reduced", detail=detail, details=details),)


def _price_messages(line: CartLine, article: Article, currency: str) -> tuple[Message, ...]:
    before = Money(line.unit_price_amount, currency)
    if before == article.price:
        return ()
    detail = _("%(name)s costs %(now)s now, not %(before)s.") % {
        "name": line.product_name,
        "now": article.price,
        "before": before,
    }
    details = {"before": before.as_json(), "now": article.price.as_json()}
    return (Message(code="price_changed", detail=detail, details=details),)


def _option_gone() -> Message:
    detail = _("The way of shipping you chose is no longer offered. Please choose again.")
    return Message(code="shipping_option_gone", detail=detail)


def _with_discount(lines: list[PricedLine], discount: int) -> list[PricedLine]:
    """Spread a discount of the whole cart over its lines."""
    shares = rules.split(discount, [line.subtotal for line in lines])
    return [replace(line, discount=share) for line, share in zip(lines, shares, strict=True)]


def _ways(cart: Cart, lines: Sequence[PricedLine], subtotal: int) -> Sequence[ShippingOption]:
    if cart.shipping_address is None:
        return ()
    weight = sum(line.weight_grams * line.quantity for line in lines)
    parcel = Parcel(subtotal=Money(subtotal, cart.currency), weight_grams=weight)
    ways = shipping_rates().options(parcel=parcel, address=cart.shipping_address)
    for way in ways:
        way.price.require(cart.currency)
    return ways


def _taxes(
    cart: Cart, lines: Sequence[PricedLine], shipping: int, at: datetime.datetime
) -> Sequence[Sequence[TaxShare]]:
    """The taxes of each line, then of the shipping."""
    parts = [Taxable(amount=line.total, variant_id=line.variant_id) for line in lines]
    parts.append(Taxable(amount=shipping))
    if cart.shipping_address is None:
        return [()] * len(parts)
    return tax_calculator().taxes(
        parts=parts,
        address=cart.shipping_address,
        on=at.date(),
        are_included=options.prices_include_tax,
    )

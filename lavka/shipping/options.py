"""How a purchase may be sent: the plug point and its default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lavka.kernel.money import Money
from lavka.kernel.plugs import Plug
from lavka.shipping import selectors


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """What is sent: its goods after discount, and their weight as far as it is known."""

    subtotal: Money
    weight_grams: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShippingOption:
    """One way to send it; `id` names it as long as it is offered."""

    id: str
    name: str
    price: Money
    delivery: str


class ShippingRates(Protocol):
    """Knows the ways to send a purchase."""

    def options(self, *, parcel: Parcel, address: Mapping[str, str]) -> Sequence[ShippingOption]:
        """The ways there are, in the order to show them; `country` is in the address."""


class FlatRates:
    """The table of flat rates per country, free from a subtotal."""

    def options(self, *, parcel: Parcel, address: Mapping[str, str]) -> Sequence[ShippingOption]:
        """See `ShippingRates`: 1 query."""
        return [
            ShippingOption(
                id=str(rate.pk),
                name=rate.name,
                delivery=rate.delivery,
                price=Money(0, parcel.subtotal.currency)
                if rate.free_from is not None and parcel.subtotal.amount >= rate.free_from.amount
                else rate.price,
            )
            for rate in selectors.rates_to(address["country"])
        ]


rates = Plug(
    setting="SHIPPING_RATES",
    protocol=ShippingRates,  # type: ignore[type-abstract]
    default="lavka.shipping.options.FlatRates",
    check_id="lavka.E003",
)

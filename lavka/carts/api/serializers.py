"""Carts on the wire."""

import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.accounts.api.serializers import EmailField
from lavka.addresses.api.serializers import PostalAddressInput, PostalAddressOutput
from lavka.carts.models import MAX_QUANTITY, Cart
from lavka.carts.pricing import Message, PricedCart, PricedLine
from lavka.carts.rules import VAT_NUMBER, MergeStrategy, Totals
from lavka.catalog.api.serializers import VariantDetailsOutput
from lavka.catalog.api.shapes import variant_details_json
from lavka.kernel.money import Money
from lavka.shipping.options import ShippingOption
from lavka.web.serializers import (
    Input,
    MoneyOutput,
    StrictCharField,
    StrictIntegerField,
    StrictUUIDField,
)


class CartInput(Input):
    """A new cart needs nothing."""


class QuantityInput(Input):
    """How many pieces."""

    quantity = StrictIntegerField(min_value=1, max_value=MAX_QUANTITY)


class LineInput(QuantityInput):
    """What goes into the cart."""

    variant_id = StrictUUIDField()


class VatNumberField(StrictCharField):
    """A VAT number with the prefix of its country, read with blanks and dots or without."""

    default_error_messages = {"invalid": _("A VAT number with its country's prefix is expected.")}

    def __init__(self, **options: Any) -> None:
        """Bound it: the longest are twelve characters behind the prefix."""
        super().__init__(max_length=30, **options)

    def to_internal_value(self, data: Any) -> str:
        """Without what people put between the characters. Raises ValidationError."""
        number = re.sub(r"[\s.\-]", "", super().to_internal_value(data)).upper()
        if number and not VAT_NUMBER.fullmatch(number):
            self.fail("invalid")
        return number


class CartAddressesInput(Input):
    """Whom the cart is for, and where it goes."""

    email = EmailField()
    shipping = PostalAddressInput()
    billing = PostalAddressInput(allow_null=True, default=None)
    vat_number = VatNumberField(
        allow_blank=True, default="", help_text=_("The buyer's, for the invoice; not verified.")
    )


class ShippingChoiceInput(Input):
    """The chosen way to ship."""

    id = StrictCharField(max_length=100)


class MergeInput(Input):
    """Whose lines stay."""

    strategy = serializers.ChoiceField(
        choices=[each.value for each in MergeStrategy],
        default=MergeStrategy.ADD.value,
        help_text=_("add: both carts' lines; keep: the customer's; replace: this cart's."),
    )


class MessageOutput(Serializer):
    """What changed since the customer last touched the cart; more fields follow the code."""

    code = serializers.CharField(
        help_text="price_changed, out_of_stock, quantity_reduced, product_gone or "
        "shipping_option_gone."
    )
    detail = serializers.CharField(help_text=_("For people, in the language of the request."))
    requested = serializers.IntegerField(required=False)
    available = serializers.IntegerField(required=False)
    variant_id = serializers.UUIDField(required=False)
    before = MoneyOutput(required=False)
    now = MoneyOutput(required=False)


class CartProductOutput(Serializer):
    """The product of a line."""

    slug = serializers.CharField()
    name = serializers.CharField()


class CartLineOutput(VariantDetailsOutput):
    """Pieces of one variant, at today's price; as many as there are of those asked for."""

    id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    product = CartProductOutput()
    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    requested_quantity = serializers.IntegerField()
    unit_price = MoneyOutput()
    discount = MoneyOutput()
    tax = MoneyOutput()
    total = MoneyOutput(help_text=_("Of all pieces, after discount, before a tax that is added."))
    messages = MessageOutput(many=True)


class ShippingChoiceOutput(Serializer):
    """A way to ship."""

    id = serializers.CharField()
    name = serializers.CharField()
    price = MoneyOutput()
    delivery = serializers.CharField()


class ShippingChoicesOutput(Serializer):
    """Every way to ship the cart, in the order to show them."""

    items = ShippingChoiceOutput(many=True)


class CartTotalsOutput(Serializer):
    """`total` is `subtotal` − `discount` + `shipping`, and `tax` unless prices include it."""

    subtotal = MoneyOutput()
    discount = MoneyOutput()
    shipping = MoneyOutput()
    tax = MoneyOutput(help_text=_("Of goods and shipping; 0 while there is no address."))
    total = MoneyOutput()
    is_tax_included = serializers.BooleanField()


class CartAddressesOutput(Serializer):
    """Where it goes, and where the invoice goes if elsewhere."""

    shipping = PostalAddressOutput()
    billing = PostalAddressOutput(allow_null=True)


class CartOutput(Serializer):
    """A cart as it can be bought now."""

    id = serializers.UUIDField(help_text=_("The key to a cart that nobody owns: keep it secret."))
    status = serializers.ChoiceField(choices=Cart.Status.choices)
    currency = serializers.CharField(min_length=3, max_length=3, help_text="ISO 4217")
    lines = CartLineOutput(many=True)
    email = serializers.EmailField(allow_null=True)
    addresses = CartAddressesOutput(allow_null=True)
    vat_number = serializers.CharField(help_text=_("The buyer's, or empty."))
    shipping_option = ShippingChoiceOutput(allow_null=True)
    totals = CartTotalsOutput()
    messages = MessageOutput(many=True)
    expires_at = serializers.DateTimeField()


def cart_json(cart: PricedCart, also: Iterable[Message] = ()) -> dict[str, Any]:
    """`CartOutput`, with messages of the change that was just made."""
    return {
        "id": cart.id,
        "status": cart.status,
        "currency": cart.currency,
        "lines": [line_json(line, cart.currency) for line in cart.lines],
        "email": cart.email or None,
        "addresses": {"shipping": cart.shipping_address, "billing": cart.billing_address}
        if cart.shipping_address
        else None,
        "vat_number": cart.vat_number,
        "shipping_option": option_json(cart.shipping_option) if cart.shipping_option else None,
        "totals": totals_json(cart.totals, cart.currency),
        "messages": [message.as_json() for message in (*cart.messages, *also)],
        "expires_at": cart.expires_at,
    }


def line_json(line: PricedLine, currency: str) -> dict[str, Any]:
    """`CartLineOutput`."""
    return {
        "id": line.id,
        "variant_id": line.variant_id,
        "product": {"slug": line.product_slug, "name": line.product_name},
        "sku": line.sku,
        **variant_details_json(line.selected_options, line.image),
        "quantity": line.quantity,
        "requested_quantity": line.requested,
        "unit_price": Money(line.unit_price, currency).as_json(),
        "discount": Money(line.discount, currency).as_json(),
        "tax": Money(line.tax, currency).as_json(),
        "total": Money(line.total, currency).as_json(),
        "messages": [message.as_json() for message in line.messages],
    }


def totals_json(totals: Totals, currency: str) -> dict[str, Any]:
    """`CartTotalsOutput`."""
    names = ("subtotal", "discount", "shipping", "tax", "total")
    amounts = {name: Money(getattr(totals, name), currency).as_json() for name in names}
    return amounts | {"is_tax_included": totals.is_tax_included}


def option_json(option: ShippingOption) -> dict[str, Any]:
    """`ShippingChoiceOutput`."""
    return {
        "id": option.id,
        "name": option.name,
        "price": option.price.as_json(),
        "delivery": option.delivery,
    }

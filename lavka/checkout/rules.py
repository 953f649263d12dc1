"""What a cart comes to as an order, how two such agreements are compared, and when to try again."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import Any

from lavka.carts.pricing import PricedCart
from lavka.orders.rules import LineContent, OrderContent

# What a line shows and nobody agrees to: the thumbnails of a picture may be made a moment later.
_LOOKS = ("selected_options", "image")
# Of each variant a buyer may have so many units held, however few are left: by a quote for long,
# by a payment for a moment.
FREE_UNITS_OF_QUOTE, FREE_UNITS_OF_PAYMENT = 2, 10
# What the keys begin with of refunds of what an order holds too much.
SURPLUS = "surplus"
# Nobody who claims a refund is still at it after the first of these pauses.
FIRST_PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=1), datetime.timedelta(hours=6)


def pause_after(attempts: int) -> datetime.timedelta:
    """How long a refund is left alone after so many attempts to go on with it."""
    return min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE)


def missing_from(cart: PricedCart) -> list[str]:
    """What a cart lacks before it can be ordered, in the order in which a client asks for it."""
    given = {
        "lines": bool(cart.lines),
        "email": bool(cart.email),
        "addresses": cart.shipping_address is not None,
        "shipping_option": cart.shipping_option is not None,
    }
    return [name for name, is_there in given.items() if not is_there]


def content_of(cart: PricedCart, language: str) -> OrderContent:
    """The order that a complete cart would become now."""
    if cart.shipping_address is None or cart.shipping_option is None:
        raise ValueError("an incomplete cart becomes no order")
    option = cart.shipping_option
    return OrderContent(
        currency=cart.currency,
        email=cart.email,
        vat_number=cart.vat_number,
        language=language,
        lines=tuple(
            LineContent(
                variant_id=line.variant_id,
                product_id=line.product_id,
                sku=line.sku,
                name=line.product_name,
                options=dict(line.options),
                selected_options=line.selected_options,
                image=line.image,
                unit_price=line.unit_price,
                quantity=line.quantity,
                discount=line.discount,
                taxes=line.taxes,
            )
            for line in cart.lines
            if line.product_id is not None
        ),
        shipping_address=dict(cart.shipping_address),
        billing_address=cart.billing_address,
        shipping_option={"id": option.id, "name": option.name, "delivery": option.delivery},
        shipping=cart.totals.shipping,
        shipping_taxes=cart.totals.shipping_taxes,
        is_tax_included=cart.totals.is_tax_included,
    )


def as_json(content: OrderContent) -> dict[str, Any]:
    """The whole agreement in plain JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(content), default=str))
    return plain


def digest_of(agreed: Mapping[str, Any]) -> str:
    """The same for agreements that differ in nothing but looks and whom the mail goes to."""
    binding = {key: value for key, value in agreed.items() if key not in {"email", "language"}}
    binding["lines"] = [
        {key: value for key, value in line.items() if key not in _LOOKS} for line in agreed["lines"]
    ]
    canonical = json.dumps(binding, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()


def with_looks_of(agreed: Mapping[str, Any], content: OrderContent) -> OrderContent:
    """The same order, its lines looking as in an agreement of the same digest."""
    lines = zip(content.lines, agreed["lines"], strict=True)
    return replace(
        content,
        lines=tuple(replace(line, **{key: shown[key] for key in _LOOKS}) for line, shown in lines),
    )

"""Every write of carts: each takes the cart's row first, so that edits come one after the other."""

from lavka.carts.services.carts import (
    Contact,
    create_cart,
    delete_cart,
    forget_customer,
    forget_expired,
    order_cart,
    set_addresses,
    set_shipping_option,
)
from lavka.carts.services.lines import add_line, change_line, remove_line
from lavka.carts.services.merging import merge_cart
from lavka.carts.services.writing import locked_cart, open_cart, reachable_cart

__all__ = [
    "Contact",
    "add_line",
    "change_line",
    "create_cart",
    "delete_cart",
    "forget_customer",
    "forget_expired",
    "locked_cart",
    "merge_cart",
    "open_cart",
    "order_cart",
    "reachable_cart",
    "remove_line",
    "set_addresses",
    "set_shipping_option",
]

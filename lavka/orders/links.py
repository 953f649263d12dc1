"""The page of an order, which mails lead to."""

from lavka.kernel.links import LinkKind, register
from lavka.orders import tokens
from lavka.orders.models import Order

ORDER = register(
    LinkKind(
        "order",
        "/orders/{id}?key={key}",
        also=frozenset({"number"}),
        needs=(frozenset({"key"}), frozenset({"id", "number"})),
    )
)


def link_to(order: Order) -> str:
    """The page of a placed order; its key opens it without signing in."""
    return ORDER.url(
        id=order.pk, number=order.number, key=tokens.key_of(order.pk, order.link_version)
    )

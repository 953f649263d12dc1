"""The key of a guest's order: who has the link may see the order."""

from uuid import UUID

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

_signer = Signer(salt="lavka.orders.key")


def key_of(order_id: UUID) -> str:
    """What the link to an order carries; it holds as long as the shop's secret."""
    return _signer.signature(str(order_id))


def opens(key: str, order_id: UUID) -> bool:
    """Whether the key belongs to this order; takes the same time for every wrong key."""
    return constant_time_compare(key, key_of(order_id))

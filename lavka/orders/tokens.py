"""The key of an order: whoever has its link may see the order, for a while, without an account."""

import datetime
import re
from uuid import UUID

from django.utils import timezone
from django.utils.http import base36_to_int, int_to_base36

from lavka.kernel import keys
from lavka.kernel.conf import options

# The day on which it was made, and a signature over that and what it opens.
_KEY = re.compile(r"([0-9a-z]{1,5})\.([0-9a-f]{64})")


def key_of(order_id: UUID, version: int = 0, *, on: datetime.date | None = None) -> str:
    """What the link to an order carries, good for `ORDER_LINKS_DAYS` or until it is revoked.

    `version` is the order's `link_version`. Keys of one day are the same, so that what shows them
    does not change from one request to the next.
    """
    day = int_to_base36((on or timezone.now().date()).toordinal())
    return f"{day}.{keys.sign(keys.ORDER_LINKS, _signed(order_id, version, day))}"


def opens(key: str, order_id: UUID, version: int) -> bool:
    """Whether the key belongs to this order, and is neither revoked nor over."""
    parts = _KEY.fullmatch(key)
    if parts is None:
        return False
    day, signature = parts.groups()
    if not keys.is_signature(keys.ORDER_LINKS, _signed(order_id, version, day), signature):
        return False
    return timezone.now().date().toordinal() <= base36_to_int(day) + options.order_links_days


def _signed(order_id: UUID, version: int, day: str) -> bytes:
    return f"{order_id} {version} {day}".encode()

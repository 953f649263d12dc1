"""Which payment methods the shop takes, and the gateway behind each."""

from functools import cache

from django.utils.module_loading import import_string

from lavka.kernel.conf import options
from lavka.payments.gateways.protocol import Gateway


def methods() -> list[str]:
    """The names of the payment methods, in the order of the settings."""
    return list(options.payment_gateways)


def gateway_of(method: str) -> Gateway:
    """The gateway behind a payment method; raises KeyError for one that the shop does not take."""
    return _built(options.payment_gateways[method])


@cache
def _built(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway

"""Which payment methods the shop takes, and the gateway behind each."""

from functools import cache

from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from lavka.kernel.conf import options
from lavka.payments.gateways.protocol import Gateway

# Where the API lists them.
METHODS_PATH = "/api/v1/shop/"
_NAMES = {
    "sandbox": _("Sandbox"),
    "invoice": _("Invoice"),
    "cash_on_delivery": _("Cash on delivery"),
    "stripe": _("Card"),
}


def methods() -> list[str]:
    """The names of the payment methods, in the order of the settings."""
    return list(options.payment_gateways)


def name_of(method: str) -> str:
    """What a payment method is called, for people; one that a shop added by its own name."""
    return str(_NAMES.get(method, method.replace("_", " ").capitalize()))


def gateway_of(method: str) -> Gateway:
    """The gateway behind a payment method; raises KeyError for one that the shop does not take."""
    return _built(options.payment_gateways[method])


@cache
def _built(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway

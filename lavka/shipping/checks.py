"""What is proved at start."""

from django.core.checks import CheckMessage, register

from lavka.shipping.options import rates


@register
def shipping_rates(**_: object) -> list[CheckMessage]:
    """The setting leads to rates."""
    return rates.problems()

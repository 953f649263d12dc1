"""What is proved at start."""

from django.core.checks import CheckMessage, register

from lavka.inventory.allocation import strategy


@register
def allocation_strategy(**_: object) -> list[CheckMessage]:
    """The setting leads to a strategy."""
    return strategy.problems()

"""What is proved at start."""

from django.core.checks import CheckMessage, register

from lavka.tax.calculator import calculator


@register
def tax_calculator(**_: object) -> list[CheckMessage]:
    """The setting leads to a calculator."""
    return calculator.problems()

"""The arithmetic of tax."""

from decimal import Decimal

_WHOLE = 100_000  # a hundred percent, in the thousandths that rates are kept in


def tax_of(amount: int, percent: Decimal, *, is_included: bool) -> int:
    """The tax on an amount of minor units, or inside it when `is_included`, rounded half up."""
    rate = int(percent.scaleb(3))
    base = _WHOLE + rate if is_included else _WHOLE
    return (2 * amount * rate + base) // (2 * base)

"""The arithmetic of tax."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypedDict

_WHOLE = 100_000  # a hundred percent, in the thousandths that rates are kept in


def tax_of(amount: int, percent: Decimal, *, is_included: bool) -> int:
    """The tax on an amount of minor units, or inside it when `is_included`, rounded half up."""
    rate = int(percent.scaleb(3))
    base = _WHOLE + rate if is_included else _WHOLE
    return (2 * amount * rate + base) // (2 * base)


class TaxShare(TypedDict):
    """One tax on one part of a purchase: `percent` such as "7.7", `amount` in minor units."""

    percent: str
    amount: int


def share_at(percent: Decimal, amount: int) -> TaxShare:
    """What one rate takes."""
    return {"percent": f"{percent.normalize():f}", "amount": amount}


def sum_of(taxes: Iterable[TaxShare]) -> int:
    """All taxes of a part together."""
    return sum(tax["amount"] for tax in taxes)

"""The arithmetic of tax."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NotRequired, TypedDict

MAX_REASON = 200
_WHOLE = 100_000  # a hundred percent, in the thousandths that rates are kept in


def tax_of(amount: int, percent: Decimal, *, is_included: bool) -> int:
    """The tax on an amount of minor units, or inside it when `is_included`, rounded half up."""
    rate = int(percent.scaleb(3))
    base = _WHOLE + rate if is_included else _WHOLE
    return (2 * amount * rate + base) // (2 * base)


class TaxShare(TypedDict):
    """One tax on one part of a purchase: `percent` such as "7.7", `amount` in minor units.

    `reason` says why nothing is taken, as an invoice at 0 % has to: "Reverse charge", or the law
    that exempts. It is absent where there is none.
    """

    percent: str
    amount: int
    reason: NotRequired[str]


def share_at(percent: Decimal, amount: int, reason: str = "") -> TaxShare:
    """What one rate takes."""
    share: TaxShare = {"percent": f"{percent.normalize():f}", "amount": amount}
    if reason:
        share["reason"] = reason
    return share


def shares_to_keep(taxes: Iterable[TaxShare]) -> list[TaxShare]:
    """What an order keeps of its taxes: reasons on one line, within MAX_REASON, and only at 0 %."""
    return [_to_keep(tax) if "reason" in tax else tax for tax in taxes]


def _to_keep(tax: TaxShare) -> TaxShare:
    share: TaxShare = {"percent": tax["percent"], "amount": tax["amount"]}
    reason = " ".join(tax["reason"].split())[:MAX_REASON]
    if reason and not Decimal(tax["percent"]):
        share["reason"] = reason
    return share


def sum_of(taxes: Iterable[TaxShare]) -> int:
    """All taxes of a part together."""
    return sum(tax["amount"] for tax in taxes)

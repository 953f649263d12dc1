"""The arithmetic of a cart: whole minor units, and parts that add up to the whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lavka.tax.rules import TaxShare

# Source: Directive 2006/112/EC, article 215; other countries' numbers look alike.
VAT_NUMBER = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}")


class MergeStrategy(StrEnum):
    """Whose lines stay when two carts become one."""

    ADD = "add"  # both, quantities add up
    KEEP = "keep"  # the customer's
    REPLACE = "replace"  # the anonymous cart's


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What a cart comes to, in minor units; `tax` holds that of the shipping too."""

    subtotal: int
    discount: int
    shipping: int
    shipping_taxes: Sequence[TaxShare]
    tax: int
    is_tax_included: bool

    @property
    def total(self) -> int:
        """What the customer pays: tax is added unless prices contain it."""
        added = 0 if self.is_tax_included else self.tax
        return self.subtotal - self.discount + self.shipping + added


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Shares of an amount in proportion to weights ≥ 0 that add up to it, none off by a unit.

    The units that rounding down leaves go to the largest remainders, of equal ones to the first.
    Where all weights are 0, the first takes everything. Source: Hamilton's method.
    """
    whole = sum(weights)
    if whole == 0:
        return [amount, *[0] * (len(weights) - 1)] if weights else []
    shares = [amount * weight // whole for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    left = amount - sum(shares)
    for index in sorted(range(len(weights)), key=lambda each: -remainders[each])[:left]:
        shares[index] += 1
    return shares

"""What a purchase is taxed: the plug point and its default."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from lavka.kernel.plugs import Plug
from lavka.tax import rules, selectors
from lavka.tax.rules import TaxShare


@dataclass(frozen=True, kw_only=True, slots=True)
class Taxable:
    """One part of a purchase after its discount, in minor units; shipping has no variant."""

    amount: int
    variant_id: UUID | None = None


class TaxCalculator(Protocol):
    """Knows the tax of each part of a purchase."""

    def taxes(
        self,
        *,
        parts: Sequence[Taxable],
        address: Mapping[str, str],
        on: datetime.date,
        are_included: bool,
    ) -> Sequence[Sequence[TaxShare]]:
        """The taxes of each part, on top of its amount or inside it, each with its rate.

        A part that nothing is taken of has a share at "0"; its `reason`, such as "Reverse charge",
        is printed on invoices as it is, up to 200 characters in the language of the caller's
        choice. `address` is where the goods go;
        `country` is its ISO 3166-1 alpha-2 code. Invoices show rates and amounts as they are here.
        """


class CountryRates:
    """One rate per country and day, for goods and their shipping, each part rounded half up."""

    def taxes(
        self,
        *,
        parts: Sequence[Taxable],
        address: Mapping[str, str],
        on: datetime.date,
        are_included: bool,
    ) -> Sequence[Sequence[TaxShare]]:
        """See `TaxCalculator`: 1 query."""
        percent, reason = selectors.rate_on(address["country"], on)
        amounts = [rules.tax_of(each.amount, percent, is_included=are_included) for each in parts]
        return [[rules.share_at(percent, amount, reason)] for amount in amounts]


calculator = Plug(
    setting="TAX_CALCULATOR",
    protocol=TaxCalculator,  # type: ignore[type-abstract]
    default="lavka.tax.calculator.CountryRates",
    check_id="lavka.E002",
)

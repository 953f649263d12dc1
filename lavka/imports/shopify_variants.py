"""The variants of one product in Shopify's CSV: a row each, odd ones mended."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from lavka.catalog.rules import MAX_SKU, MAX_WEIGHT_GRAMS, slug_from
from lavka.imports.tables import Record, Refusal
from lavka.inventory.models import MAX_UNITS
from lavka.kernel.money import MAX_PRICE, CurrencyMismatch, Money

_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]*)?")
# Exports write whole numbers, spreadsheets sometimes "7.0".
_QUANTITY = re.compile(r"-?[0-9]+(\.0*)?")
_NO_OPTION = {"Default Title"}
QUANTITY, TRACKER = "Variant Inventory Qty", "Variant Inventory Tracker"
POLICY, COST = "Variant Inventory Policy", "Cost per item"
BLANK_TRACKER = (
    "inventory tracker is blank: a new variant is counted, a known one as before; "
    "--untracked-if-blank sells it without counting"
)


class Policy(StrEnum):
    """Whether Shopify sells a variant of which nothing is left."""

    DENY = "deny"
    CONTINUE = "continue"


@dataclass(frozen=True, kw_only=True)
class VariantDraft:
    """A variant as the file says it; `options` are names with labels, `image` is an address.

    None of `quantity`, `policy` and `track_inventory` is what the file does not say; `cost` counts
    when `is_cost_said`.
    """

    line: int
    sku: str
    gtin: str
    options: dict[str, str]
    price: Money
    compare_at_price: Money | None
    weight_grams: int | None
    cost: Money | None
    is_cost_said: bool
    track_inventory: bool | None
    quantity: int | None
    policy: Policy | None
    image: str


def option_names(rows: Sequence[Record], sold: Sequence[Record]) -> dict[int, str]:
    """The options that tell the variants in `sold` apart, by their number in the columns' names.

    An option without a name is called by its number; one without a value is none.
    """
    names = {}
    for number in (1, 2, 3):
        values = {row.values.get(f"Option{number} Value", "") for row in sold} - {""}
        if values and values != _NO_OPTION:
            said = (row.values.get(f"Option{number} Name", "") for row in rows)
            names[number] = next(filter(None, said), f"Option {number}")
    return names


def own_sku(handle: str, options: dict[str, str]) -> str:
    """A stable SKU for a variant that has none of its own."""
    sku = "-".join([handle, *(slug_from(value) or value for value in options.values())])
    if len(sku) <= MAX_SKU:
        return sku
    return f"{sku[: MAX_SKU - 9]}-{hashlib.blake2b(sku.encode(), digest_size=4).hexdigest()}"


def with_own_sku(variant: VariantDraft, handle: str, notes: list[str]) -> VariantDraft:
    """The variant under a SKU made from handle and options, since another has its SKU."""
    notes.append("SKU belongs to another variant, so one was made from handle and options")
    return replace(variant, sku=own_sku(handle, variant.options))


def without_gtin(variant: VariantDraft, notes: list[str]) -> VariantDraft:
    """The variant without its barcode, since another has it."""
    notes.append("barcode belongs to another variant and was left out")
    return replace(variant, gtin="")


class VariantReading:
    """Reads one product's variants, and gathers what is wrong and what is odd on the way."""

    def __init__(
        self,
        handle: str,
        names: dict[int, str],
        currency: str,
        notes: list[str],
        *,
        is_blank_untracked: bool = False,
    ) -> None:
        """Take what all the rows have in common; `notes` grows.

        `is_blank_untracked`: a blank tracker means what it means to Shopify, sold without counting.
        """
        self.handle, self.names, self.currency, self.notes = handle, names, currency, notes
        self.is_blank_untracked = is_blank_untracked
        self.refused: list[Refusal] = []

    def variants_in(self, rows: Sequence[Record]) -> list[VariantDraft]:
        """Every variant once, with a SKU and a barcode that no other of them has."""
        found: list[VariantDraft] = []
        for row in rows:
            variant = self._variant(row)
            if variant is None:
                continue
            if any(replace(variant, line=each.line, image=each.image) == each for each in found):
                self.notes.append("variant stands twice in the file and was taken once")
                continue
            found.append(self._distinct(variant, found))
        return found

    def _distinct(self, variant: VariantDraft, others: Sequence[VariantDraft]) -> VariantDraft:
        if any(variant.sku == other.sku for other in others):
            variant = with_own_sku(variant, self.handle, self.notes)
        if variant.gtin and any(variant.gtin == other.gtin for other in others):
            variant = without_gtin(variant, self.notes)
        return variant

    def _variant(self, row: Record) -> VariantDraft | None:
        options = self._options(row)
        price = self._price(row)
        refusals = len(self.refused)
        policy = self._policy(row)
        track_inventory = self._track_inventory(row)
        quantity = None if track_inventory is False else self._quantity(row)
        if price is None or options is None or len(self.refused) > refusals:
            return None
        sku = row.values.get("Variant SKU", "").lstrip("'")
        if len(sku) > MAX_SKU:
            self.notes.append(f"SKU is longer than {MAX_SKU} characters and was made anew")
            sku = ""
        return VariantDraft(
            line=row.line,
            sku=sku or own_sku(self.handle, options),
            gtin=self._gtin(row),
            options=options,
            price=price,
            compare_at_price=self._compare_at(row, price),
            weight_grams=self._weight_grams(row),
            cost=self._cost(row),
            is_cost_said=COST in row.values,
            track_inventory=track_inventory,
            quantity=quantity,
            policy=policy,
            image=row.values.get("Variant Image", ""),
        )

    def _options(self, row: Record) -> dict[str, str] | None:
        options = {
            name: row.values.get(f"Option{number} Value", "") for number, name in self.names.items()
        }
        for number, name in self.names.items():
            if not options[name]:
                self._refuse(row, f"Option{number} Value", "required", f"{name} is missing.")
        return options if all(options.values()) else None

    def _price(self, row: Record) -> Money | None:
        text = row.values.get("Variant Price", "")
        if not text:
            self._refuse(row, "Variant Price", "required", "A variant needs a price.")
            return None
        try:
            price = self._amount(row, "Variant Price")
        except CurrencyMismatch as mismatch:
            self._refuse(row, "Variant Price", mismatch.code, mismatch.detail)
            return None
        if price is None:
            self._refuse(row, "Variant Price", "bad_amount", f"“{text[:40]}” is no amount.")
        elif price.amount < 0:
            self._refuse(row, "Variant Price", "negative", "An amount cannot be negative.")
            return None
        return price

    def _compare_at(self, row: Record, price: Money) -> Money | None:
        text = row.values.get("Variant Compare At Price", "")
        try:
            amount = self._amount(row, "Variant Compare At Price")
        except CurrencyMismatch as mismatch:
            self._refuse(row, "Variant Compare At Price", mismatch.code, mismatch.detail)
            return None
        if amount is not None and amount.amount > price.amount:
            return amount
        # Shopify exports 0 for none, and shows no stale amount to customers either.
        if text and (amount is None or amount.amount not in {0, price.amount}):
            self.notes.append("compare-at price is not above the price and was left out")
        return None

    def _amount(self, row: Record, column: str) -> Money | None:
        """The amount in a column, None for what is none; its code may stand in `Currency` too.

        Raises: CurrencyMismatch.
        """
        Money(0, row.values.get("Currency") or self.currency).require(self.currency)
        try:
            return Money.parse(row.values.get(column, ""), self.currency)
        except ValueError:
            return None

    def _gtin(self, row: Record) -> str:
        gtin = row.values.get("Variant Barcode", "").lstrip("'").replace(" ", "")
        if gtin and not _GTIN.fullmatch(gtin):
            self.notes.append("barcode is no GTIN and was left out")
            return ""
        return gtin

    def _policy(self, row: Record) -> Policy | None:
        text = row.values.get(POLICY, "").lower()
        if text and text not in set(Policy):
            self.notes.append("inventory policy is neither deny nor continue and was read as deny")
            return Policy.DENY
        return Policy(text) if text else None

    def _track_inventory(self, row: Record) -> bool | None:
        """What the tracker says; a blank one says something only when whoever imports says so.

        A variant that a shop tracks in some other place is not sold without a limit by mistake.
        """
        tracker = row.values.get(TRACKER)
        if tracker is None:
            return None
        if tracker or self.is_blank_untracked:
            return bool(tracker)
        self.notes.append(BLANK_TRACKER)
        return None

    def _quantity(self, row: Record) -> int | None:
        text = row.values.get(QUANTITY, "")
        if not text:
            return None
        if not _QUANTITY.fullmatch(text):
            self._refuse(row, QUANTITY, "bad_quantity", f"“{text[:40]}” is no whole number.")
        elif (quantity := Decimal(text)) < 0:
            # Of a variant that Shopify sold beyond its stock.
            self.notes.append("quantity is below zero and was taken as 0")
            return 0
        elif quantity > MAX_UNITS:
            self._refuse(row, QUANTITY, "out_of_range", f"A quantity is at most {MAX_UNITS}.")
        else:
            return int(quantity)
        return None

    def _cost(self, row: Record) -> Money | None:
        text = row.values.get(COST, "")
        try:
            cost = self._amount(row, COST)
        except CurrencyMismatch as mismatch:
            self._refuse(row, COST, mismatch.code, mismatch.detail)
            return None
        if text and (cost is None or not 0 <= cost.amount <= MAX_PRICE):
            self.notes.append("cost is no amount and was left out")
            return None
        return cost

    def _weight_grams(self, row: Record) -> int | None:
        text = row.values.get("Variant Grams", "")
        if not text:
            return None
        grams = float(text) if _NUMBER.fullmatch(text) else -1
        if not 0 <= grams <= MAX_WEIGHT_GRAMS:
            self.notes.append("weight is no number of grams and was left out")
            return None
        return int(grams)

    def _refuse(self, row: Record, column: str, code: str, reason: str) -> None:
        self.refused.append(Refusal(line=row.line, column=column, code=code, reason=reason))

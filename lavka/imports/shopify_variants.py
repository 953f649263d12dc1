"""The variants of one product in Shopify's CSV: a row each, odd ones mended."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lavka.catalog.rules import MAX_SKU, MAX_WEIGHT_GRAMS, slug_from
from lavka.imports.tables import Record, Refusal
from lavka.kernel.money import CurrencyMismatch, Money

_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]*)?")
_NO_OPTION = {"Default Title"}


@dataclass(frozen=True, kw_only=True)
class VariantDraft:
    """A variant as the file says it; `options` are names with labels."""

    line: int
    sku: str
    gtin: str
    options: dict[str, str]
    price: Money
    compare_at_price: Money | None
    is_in_stock: bool
    weight_grams: int | None


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

    def __init__(self, handle: str, names: dict[int, str], currency: str, notes: list[str]) -> None:
        """Take what all the rows have in common; `notes` grows."""
        self.handle, self.names, self.currency, self.notes = handle, names, currency, notes
        self.refused: list[Refusal] = []

    def variants_in(self, rows: Sequence[Record]) -> list[VariantDraft]:
        """Every variant once, with a SKU and a barcode that no other of them has."""
        found: list[VariantDraft] = []
        for row in rows:
            variant = self._variant(row)
            if variant is None:
                continue
            if any(replace(variant, line=each.line) == each for each in found):
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
        if price is None or options is None:
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
            is_in_stock=self._is_in_stock(row),
            weight_grams=self._weight_grams(row),
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

    def _is_in_stock(self, row: Record) -> bool:
        said = row.values
        # A column that is there and empty: the shop does not count this variant.
        is_counted = said.get("Variant Inventory Tracker", "yes") != ""
        is_sold_on = said.get("Variant Inventory Policy", "").lower() == "continue"
        text = said.get("Variant Inventory Qty", "")
        if not text or not is_counted or is_sold_on:
            return True
        if not _NUMBER.fullmatch(text):
            self.notes.append("quantity is no number, so the variant is out of stock")
            return False
        # An oversold variant has a negative quantity.
        return float(text) > 0

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

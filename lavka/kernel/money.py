"""Money: whole minor units of one currency, never a float."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import FieldError, Invalid

# Of any amount. It is below 2**53, so every JSON reader has it exactly (RFC 8259, section 6).
MAX_AMOUNT = 10**15
# Of one unit of something, so that a whole order of them fits into a bigint.
MAX_PRICE = 10**12
_BIGINT = 2**63 - 1
_DECIMAL = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,2})?")
_WITH_CODE = re.compile(r"(?:([A-Z]{3})\s+)?(\S+?)(?:\s+([A-Z]{3}))?")
# ISO 4217 (2024 amendment 176): the currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def exponent_of(currency: str) -> int:
    """Digits after the point in an amount of `currency` (ISO 4217 code)."""
    return _EXPONENTS.get(currency, 2)


class CurrencyMismatch(Invalid):
    """An amount is in another currency than what it applies to."""

    code = "currency_mismatch"
    title = _("Currency mismatch")
    message = _("The amount is in %(currency)s, but %(expected)s is expected.")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, kopecks) of an ISO 4217 currency."""

    amount: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read a decimal such as "12.99" or "12.99 USD", half a minor unit rounded away from zero.

        Raises: ValueError, for what is no decimal number or does not fit into a bigint;
        CurrencyMismatch, for a code that is not `currency`.
        """
        parts = _WITH_CODE.fullmatch(text.strip())
        if parts is None or not _DECIMAL.fullmatch(parts[2]) or (parts[1] and parts[3]):
            raise ValueError(f"not an amount: {text[:40]!r}")
        minor = Decimal(parts[2]).scaleb(exponent_of(currency)).to_integral_value(ROUND_HALF_UP)
        if abs(minor) > _BIGINT:
            raise ValueError(f"not an amount: {text[:40]!r}")
        return cls(int(minor), parts[1] or parts[3] or currency).require(currency)

    def require(self, currency: str, pointer: str = "") -> "Money":
        """This amount, which has to be in `currency`; `pointer` is where a client said its code.

        Raises: CurrencyMismatch.
        """
        if self.currency == currency:
            return self
        details = {"currency": self.currency, "expected": currency}
        detail = str(CurrencyMismatch.message) % details
        refused = FieldError(pointer, CurrencyMismatch.code, detail, (currency,))
        errors = [refused] if pointer else []
        raise CurrencyMismatch(errors=errors, **details)

    def __add__(self, other: "Money") -> "Money":
        """Add an amount of the same currency; raises ValueError for another one."""
        self._require_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Take away an amount of the same currency; raises ValueError for another one."""
        self._require_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        """The price of `quantity` pieces."""
        return Money(self.amount * quantity, self.currency)

    def __str__(self) -> str:
        """The amount in major units and the code: `12.99 USD`."""
        digits = exponent_of(self.currency)
        return f"{Decimal(self.amount).scaleb(-digits):.{digits}f} {self.currency}"

    def as_json(self) -> dict[str, int | str]:
        """The wire shape: `{"amount": 1299, "currency": "USD"}`."""
        return {"amount": self.amount, "currency": self.currency}

    def _require_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

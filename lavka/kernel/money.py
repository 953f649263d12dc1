"""Money: whole minor units of one currency, never a float."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

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


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, kopecks) of an ISO 4217 currency."""

    amount: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read a decimal such as "12.99", half a minor unit rounded away from zero.

        Raises: ValueError, for what is no finite decimal number.
        """
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            raise ValueError(f"not an amount: {text!r}") from None
        if not value.is_finite():
            raise ValueError(f"not an amount: {text!r}")
        minor = value.scaleb(exponent_of(currency)).quantize(Decimal(1), ROUND_HALF_UP)
        return cls(int(minor), currency)

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

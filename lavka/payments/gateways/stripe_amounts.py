"""Amounts as Stripe writes them, converted exactly. Source: docs.stripe.com/currencies."""

from fractions import Fraction

from lavka.kernel.money import Money, exponent_of

# Digits after the point in an amount at Stripe, where they are not two. ISK and UGX, which have
# none in ISO 4217, are written with two there; MGA, which has two, with none.
_DIGITS = {
    **dict.fromkeys(
        [
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
}  # fmt: skip
# The last of three digits has to be 0.
_LAST_DIGIT_ZERO = {code for code, digits in _DIGITS.items() if digits == 3}


def step_of(currency: str) -> Money:
    """The smallest amount that Stripe charges of a currency: others are multiples of it."""
    by_last_digit = 10 if currency in _LAST_DIGIT_ZERO else 1
    return Money(_factor(currency).denominator * by_last_digit, currency)


def to_stripe(money: Money) -> int | None:
    """The amount in Stripe's units; None for one that Stripe cannot express."""
    if money.amount % step_of(money.currency).amount:
        return None
    return int(money.amount * _factor(money.currency))


def from_stripe(amount: int, currency: str) -> tuple[Money, bool]:
    """The amount in whole minor units, and whether that is all of it; `currency` in any case."""
    code = currency.upper()
    factor = _factor(code)
    whole, rest = divmod(amount * factor.denominator, factor.numerator)
    return Money(whole, code), not rest


def _factor(currency: str) -> Fraction:
    """How many units of Stripe one minor unit of ISO 4217 is."""
    return Fraction(10) ** (_DIGITS.get(currency, 2) - exponent_of(currency))

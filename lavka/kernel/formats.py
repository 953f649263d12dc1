"""How values are written for people, in the active language."""

from decimal import Decimal

from django.utils import formats

from lavka.kernel.money import Money, exponent_of


def format_money(money: Money) -> str:
    """As the language groups digits: 1,299.00 USD."""
    digits = exponent_of(money.currency)
    major = Decimal(money.amount).scaleb(-digits)
    number = formats.number_format(major, digits, use_l10n=True, force_grouping=True)
    return f"{number} {money.currency}"

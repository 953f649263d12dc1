"""How values are written for people, in the active language."""

import datetime
from decimal import Decimal

from django.utils import formats, timezone

from lavka.kernel.money import Money, exponent_of


def format_money(money: Money) -> str:
    """As the language groups digits: 1,299.00 USD."""
    digits = exponent_of(money.currency)
    major = Decimal(money.amount).scaleb(-digits)
    number = formats.number_format(major, digits, use_l10n=True, force_grouping=True)
    return f"{number} {money.currency}"


def format_instant(at: datetime.datetime) -> str:
    """Day and time in the shop's time zone, as the language writes them."""
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")

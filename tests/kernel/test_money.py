"""Money adds up and never touches a float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.kernel.money import Money, exponent_of


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.99", "USD", 1299),
        (" 12.995 ", "USD", 1300),
        ("-12.995", "USD", -1300),
        ("1299", "JPY", 1299),
        ("1.2345", "KWD", 1235),
        ("1e2", "USD", 10_000),
    ],
)
def test_a_decimal_is_read_in_minor_units(text, currency, amount):
    assert Money.parse(text, currency) == Money(amount, currency)


@pytest.mark.parametrize("text", ["", "twelve", "1,5", "NaN", "Infinity", "1.2.3", "$5"])
def test_what_is_no_finite_decimal_is_refused(text):
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text, "USD")


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD", "RUB"]))
def test_what_is_printed_is_read_back(amount, currency):
    money = Money(amount, currency)

    text, code = str(money).split()

    assert Money.parse(text, code) == money
    assert len(text.partition(".")[2]) == exponent_of(currency)


@given(st.lists(st.integers(-(10**12), 10**12), max_size=20))
def test_sums_lose_nothing(amounts):
    total = Money(0, "USD")
    for amount in amounts:
        total += Money(amount, "USD")

    assert total == Money(sum(amounts), "USD")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "USD") + Money(1, "EUR")

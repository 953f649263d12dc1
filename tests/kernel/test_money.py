"""Money adds up and never touches a float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.kernel.checks import check_currency
from lavka.kernel.money import CurrencyMismatch, Money, exponent_of


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.99", "USD", 1299),
        (" 12.995 ", "USD", 1300),
        ("-12.995", "USD", -1300),
        ("1299", "JPY", 1299),
        ("1.2345", "KWD", 1235),
        ("1e2", "USD", 10_000),
        ("12.99 USD", "USD", 1299),
        ("USD 12.99", "USD", 1299),
        (".5", "USD", 50),
    ],
)
def test_a_decimal_is_read_in_minor_units(text, currency, amount):
    assert Money.parse(text, currency) == Money(amount, currency)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "twelve",
            "1,5",
            "NaN",
            "Infinity",
            "1.2.3",
            "$5",
            "1_000",
            "٣",
            "1e99",
            "1e999999999",
        ),
        *("9" * 21, "USD", "USD 1 USD", "1 usd", "1USD", "0x10", "1" + "0" * 10_000),
    ],
)
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


@pytest.mark.parametrize("text", ["12.99 EUR", "EUR 12.99", "0 JPY"])
def test_a_code_that_is_not_the_expected_one_is_refused(text):
    with pytest.raises(CurrencyMismatch) as refused:
        Money.parse(text, "USD")

    assert refused.value.details["expected"] == "USD"


def test_an_amount_of_another_currency_does_not_count():
    assert Money(1, "USD").require("USD") == Money(1, "USD")
    with pytest.raises(CurrencyMismatch) as refused:
        Money(1, "EUR").require("USD", "#/price/currency")

    assert [(each.pointer, each.code) for each in refused.value.errors] == [
        ("#/price/currency", "currency_mismatch")
    ]


@pytest.mark.parametrize(
    ("code", "is_one"),
    [("JPY", True), ("KWD", True), ("jpy", False), ("", False), ("US", False), ("USD\n", False)],
)
def test_the_shops_currency_is_a_code_in_capitals(code, is_one, settings):
    settings.LAVKA = settings.LAVKA | {"CURRENCY": code}

    assert [each.id for each in check_currency()] == ([] if is_one else ["lavka.E067"])

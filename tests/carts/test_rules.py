"""Totals and shares add up, whatever the amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.carts.rules import Totals, split

AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (5, [3, 3, 1], [2, 2, 1]),
        (7, [0, 5, 0], [0, 7, 0]),
        (10, [0, 0], [10, 0]),
        (0, [3, 4], [0, 0]),
        (0, [], []),
    ],
)
def test_an_amount_is_split_by_the_largest_remainder(amount, weights, shares):
    assert split(amount, weights) == shares


@given(amount=AMOUNTS, weights=st.lists(AMOUNTS, min_size=1, max_size=100))
def test_shares_add_up_and_none_is_off_by_a_unit(amount, weights):
    shares, whole = split(amount, weights), sum(weights)

    assert sum(shares) == amount
    if whole:
        assert all(
            abs(share * whole - amount * weight) < whole
            for share, weight in zip(shares, weights, strict=True)
        )


@given(discount=AMOUNTS, weights=st.lists(AMOUNTS, min_size=1))
def test_no_line_is_reduced_below_nothing(discount, weights):
    discount = min(discount, sum(weights))

    reduced = split(discount, weights)

    assert all(0 <= share <= weight for share, weight in zip(reduced, weights, strict=True))


@given(
    goods=AMOUNTS, discount=AMOUNTS, shipping=AMOUNTS, tax=AMOUNTS, is_tax_included=st.booleans()
)
def test_the_total_is_the_sum_of_its_parts(goods, discount, shipping, tax, is_tax_included):
    totals = Totals(
        subtotal=goods, discount=discount, shipping=shipping, shipping_taxes=(), tax=tax,
        is_tax_included=is_tax_included,
    )  # fmt: skip

    without_tax = goods - discount + shipping
    assert totals.total == (without_tax if is_tax_included else without_tax + tax)

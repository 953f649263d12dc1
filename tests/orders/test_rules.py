from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lavka.orders.rules import TRANSITIONS, OrderStatus, share, sources_of
from tests.orders.factories import make_content, make_line


@given(st.integers(0, 10**12), st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_shares_of_an_amount_add_up_to_it(amount: int, parts: list[int]):
    whole = sum(parts) or 1
    bounds = [sum(parts[:n]) for n in range(len(parts) + 1)]
    bounds[-1] = whole

    shares = [
        share(amount, part=end, whole=whole) - share(amount, part=start, whole=whole)
        for start, end in pairwise(bounds)
    ]

    assert sum(shares) == amount
    assert min(shares) >= 0


def test_a_share_is_rounded_half_up():
    assert [share(5, part=part, whole=2) for part in (0, 1, 2)] == [0, 3, 5]


def test_every_state_is_in_the_table_and_none_leads_back_to_a_draft():
    assert set(TRANSITIONS) == set(OrderStatus)
    assert sources_of(OrderStatus.DRAFT) == []
    assert sources_of(OrderStatus.CANCELLED) == [OrderStatus.PLACED]


def test_tax_is_added_to_net_prices():
    content = make_content(make_line(discount=98), is_tax_included=False)

    assert (content.subtotal, content.discount, content.tax) == (2598, 98, 620)
    assert content.total == 2598 - 98 + 500 + 620


def test_tax_in_gross_prices_is_not_added_again():
    assert make_content(is_tax_included=True).total == 2598 + 500

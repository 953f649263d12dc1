"""Nobody is sold what is not there."""

import random
from collections import Counter

import httpx
import pytest

from tests.e2e.shop import Shop
from tests.races.conftest import Page, Times
from tests.races.market import Call, Market, buys, outcome_of

pytestmark = pytest.mark.timeout(300)


def test_the_last_unit_is_sold_once(market: Market, page: Page, times: Times):
    rounds, seen = times(20), Counter[str]()
    for each in market.rounds(rounds, buyers=50):
        outcomes = market.all_at_once(*map(buys, each.carts))

        assert outcomes == {"placed": 1, "out_of_stock": 49}
        assert market.sold(each.variants[0]) == 1
        assert market.stock_of(each.variants[0]) == (1, 1)
        seen += outcomes

    assert market.numbers() == list(range(1, len(market.numbers()) + 1))
    page.tell(
        "The last unit",
        "50 buyers with a cart each, quote and checkout at once, 4 workers",
        rounds,
        f"each time 1 order and 49 × `out_of_stock` ({seen.total()} buyers in all)",
    )


def test_control_without_the_guard_it_is_promised_more_than_once(
    tmp_path_factory: pytest.TempPathFactory, page: Page
):
    """If this fails, the race above overlaps nothing and proves nothing."""
    patched = {"DJANGO_SETTINGS_MODULE": "tests.races.settings", "LAVKA_RACES_PATCH": "Unguarded"}
    folder = tmp_path_factory.mktemp("control")
    with Shop(folder, workers=0, web_workers=4, settings=patched) as shop:
        market = Market(shop)
        market.run_sql(
            "ALTER TABLE inventory_stocklevel DROP CONSTRAINT stock_reserved_within_on_hand"
        )
        rounds = market.rounds(3, buyers=50)
        for each in rounds:
            market.all_at_once(*map(buys, each.carts))
        promised = [market.stock_of(each.variants[0])[1] for each in rounds]

    assert max(promised) > 1
    page.tell(
        "The last unit, control",
        "the same against a copy without row lock, guard and CHECK",
        len(promised),
        f"the one unit was promised {', '.join(map(str, promised))} times",
    )


def test_lines_in_opposite_orders_meet_no_deadlock(market: Market, page: Page, times: Times):
    rounds = times(20)
    for each in market.rounds(rounds, buyers=20, on_hand=[5, 5, 5]):
        outcomes = market.all_at_once(*map(buys, each.carts))

        assert outcomes == {"placed": 5, "out_of_stock": 15}
        assert [market.stock_of(variant) for variant in each.variants] == [(5, 5)] * 3

    page.tell(
        "Several lines in opposite orders",
        "20 buyers of the same 3 things, 5 of each there, every other cart the other way round",
        rounds,
        "each time 5 orders and 15 × `out_of_stock`; no deadlock reached a client",
    )


def test_what_others_let_expire_is_sold_once(market: Market, page: Page, times: Times):
    rounds = times(20)
    for each in market.rounds(rounds, buyers=21):
        holder = each.carts[0]
        hold = market.all_at_once(quotes(holder))
        market.run_sql("UPDATE inventory_hold SET expires_at = now() WHERE id = %s", holder)

        outcomes = market.all_at_once(*map(buys, each.carts))

        assert hold == {"quoted": 1}
        assert outcomes == {"placed": 1, "out_of_stock": 20}
        assert market.stock_of(each.variants[0]) == (1, 1)
    page.tell(
        "A reservation that expires at that moment",
        "the unit is held by a cart whose time has just run out; its owner and 20 others buy",
        rounds,
        "each time 1 order and 20 × `out_of_stock`",
    )


def test_stock_that_staff_change_meanwhile_is_not_oversold(
    market: Market, page: Page, times: Times
):
    rounds, token, results = times(20), market.staff_token(), []
    for each in market.rounds(rounds, buyers=30, on_hand=[3]):
        variant, choose = each.variants[0], random.Random(len(results))
        counts = [counts_stock(variant, choose.randint(0, 8), token) for _ in range(6)]
        calls = [*map(buys, each.carts), *counts]
        choose.shuffle(calls)

        outcomes = market.all_at_once(*calls)

        on_hand, reserved = market.stock_of(each.variants[0])
        assert outcomes.keys() <= {"placed", "out_of_stock", "counted", "stock_promised"}
        assert outcomes["placed"] == market.sold(each.variants[0]) == reserved <= on_hand
        results.append(outcomes["placed"])
    page.tell(
        "Stock that staff change meanwhile",
        "30 buyers of 3 units while staff set the count 6 times to between 0 and 8",
        rounds,
        f"{min(results)} to {max(results)} orders, each time as many as are reserved, never more "
        "than on hand",
    )


def quotes(cart: str) -> Call:
    async def call(client: httpx.AsyncClient) -> str:
        answer = await client.post(f"/carts/{cart}/quote/")
        return "quoted" if answer.status_code == 201 else outcome_of(answer)

    return call


def counts_stock(variant: str, on_hand: int, token: str) -> Call:
    async def call(client: httpx.AsyncClient) -> str:
        answer = await client.put(
            f"/manage/variants/{variant}/stock/",
            json={"warehouse": "main", "on_hand": on_hand},
            headers={"Authorization": f"Bearer {token}"},
        )
        return "counted" if answer.status_code == 200 else outcome_of(answer)

    return call

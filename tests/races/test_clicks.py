"""One purchase is one order and one charge, however often and by whomever it is finished."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.shop import Shop
from tests.races.conftest import Page, Times
from tests.races.market import Call, Market, check_out, outcome_of
from tests.races.patches import KILL_FILE, POINTS

pytestmark = pytest.mark.timeout(300)

SWEEPS = """
from lavka.checkout.tasks import sweep as sweep_checkouts
from lavka.inventory.tasks import release_expired
from lavka.payments.tasks import sweep as sweep_payments
sweep_payments(); sweep_checkouts(); sweep_payments(); release_expired()
"""


def clicks(cart: str, quote: str, *, key: str = "", token: str = "success") -> Call:
    async def call(client: httpx.AsyncClient) -> str:
        return outcome_of(await check_out(client, cart, quote, key=key, token=token))

    return call


def quote_of(market: Market, cart: str) -> str:
    answer = httpx.post(f"{market.shop.base_url}/api/v1/carts/{cart}/quote/", timeout=30)
    return str(answer.json()["id"])


def test_twenty_clicks_are_one_order(market: Market, page: Page, times: Times):
    rounds = times(20)
    (each,) = market.rounds(1, buyers=rounds, on_hand=[100])
    for sold, cart in enumerate(each.carts, start=1):
        quote, charges = quote_of(market, cart), market.charges()

        outcomes = market.all_at_once(*[clicks(cart, quote)] * 20)

        assert outcomes.keys() <= {"placed", "draft"}
        assert outcomes["placed"] >= 1
        assert market.sold(each.variants[0]) == sold
        assert market.charges() == charges + 1
    page.tell(
        "Double click",
        "20 checkouts of one cart at once, each with a key of its own",
        rounds,
        "each time 1 order and 1 charge; every click was answered with that order",
    )


def test_control_without_the_locks_clicks_are_charged_more_than_once(
    tmp_path_factory: pytest.TempPathFactory, page: Page
):
    """If this fails, the clicks above overlap nothing and prove nothing."""
    patched = {"DJANGO_SETTINGS_MODULE": "tests.races.settings", "LAVKA_RACES_PATCH": "Unlocked"}
    folder = tmp_path_factory.mktemp("unlocked")
    with Shop(folder, workers=0, web_workers=4, settings=patched) as shop:
        market = Market(shop)
        market.run_sql("ALTER TABLE orders_order DROP CONSTRAINT orders_order_cart_id_key")
        market.run_sql("DROP INDEX payment_one_undecided_per_order")
        (each,) = market.rounds(1, buyers=5, on_hand=[100])
        charged = []
        for cart in each.carts:
            quote, charges = quote_of(market, cart), market.charges()
            market.all_at_once(*[clicks(cart, quote)] * 20)
            charged.append(market.charges() - charges)

    assert max(charged) > 1
    page.tell(
        "Double click, control",
        "the same against a copy without the locks of carts, holds and orders, and without the "
        "two unique indexes",
        len(charged),
        f"one cart was charged {', '.join(map(str, charged))} times",
    )


def test_one_key_is_one_answer(market: Market, page: Page, times: Times):
    rounds = times(20)
    (each,) = market.rounds(1, buyers=rounds, on_hand=[100])
    for cart in each.carts:
        quote, charges = quote_of(market, cart), market.charges()
        same = [clicks(cart, quote, key=f"key-{cart}")] * 10
        other = [clicks(cart, quote, key=f"key-{cart}", token="declined")] * 5

        outcomes = market.all_at_once(*same, *other)
        later = market.all_at_once(same[0], other[0])

        # Whichever body came first owns the key.
        [first] = outcomes.keys() - {"request_in_progress", "idempotency_key_reused"}
        assert first in {"placed", "payment_declined"}
        assert later == {first: 1, "idempotency_key_reused": 1}
        assert market.charges() == charges + (first == "placed")
    page.tell(
        "One key",
        "10 requests with one Idempotency-Key and 5 with the same key and another body, at once",
        rounds,
        "the body that came first was carried out once; its twins are told "
        "`request_in_progress` or get its answer, other bodies `idempotency_key_reused`",
    )


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A shop that dies where it is told to, and whose events nobody carries."""
    folder = tmp_path_factory.mktemp("mortal")
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.races.settings",
        "LAVKA_RACES_PATCH": "KillPoints",
        KILL_FILE: str(folder / "kill-at"),
    }
    with Shop(folder, workers=0, web_workers=1, settings=settings) as shop:
        yield Market(shop)


def dies(market: Market, cart: str, quote: str, point: str) -> None:
    """Check out while the worker is killed at `point`, and wait for the next worker."""
    Path(market.shop.environment[KILL_FILE]).write_text(point)
    with pytest.raises(httpx.TransportError):
        market.all_at_once(clicks(cart, quote))
    market.shop.wait_until_ready()


def test_killed_and_tried_again(mortal: Market, page: Page):
    (each,) = mortal.rounds(1, buyers=len(POINTS), on_hand=[100])
    for sold, (point, cart) in enumerate(zip(POINTS, each.carts, strict=True), start=1):
        quote, charges = quote_of(mortal, cart), mortal.charges()
        dies(mortal, cart, quote, point)

        outcome = mortal.all_at_once(clicks(cart, quote))

        if point == "before the charge":
            # Nobody can know yet that the provider was never asked.
            assert outcome == {"draft": 1}
            hurry(mortal)
            outcome = mortal.all_at_once(clicks(cart, quote_of(mortal, cart)))
        assert (point, outcome) == (point, {"placed": 1})
        assert (point, mortal.sold(each.variants[0])) == (point, sold)
        assert (point, mortal.charges()) == (point, charges + 1)
    assert mortal.stock_of(each.variants[0]) == (100, len(POINTS))
    page.tell(
        "Killed, and the customer tries again",
        f"kill -9 of the worker at each of: {', '.join(POINTS)}",
        len(POINTS),
        "each time 1 order and 1 charge, and the stock is right",
    )


def test_killed_and_swept(mortal: Market, page: Page):
    (each,) = mortal.rounds(1, buyers=len(POINTS), on_hand=[100])
    charges = mortal.charges()
    for point, cart in zip(POINTS, each.carts, strict=True):
        dies(mortal, cart, quote_of(mortal, cart), point)

    hurry(mortal)

    paid = [point for point in POINTS if POINTS.index(point) >= POINTS.index("after the charge")]
    assert mortal.sold(each.variants[0]) == len(paid)
    assert mortal.charges() == charges + len(paid)
    assert mortal.stock_of(each.variants[0]) == (100, len(paid))
    stuck = "SELECT count(*) FROM payments_operation WHERE state IN ('started', 'waiting')"
    assert mortal.shop.query(stuck) == [(0,)]
    assert mortal.shop.query("SELECT count(*) FROM checkout_checkout") == [(0,)]
    assert mortal.shop.query("SELECT count(*) FROM inventory_hold") == [(0,)]
    page.tell(
        "Killed, and nobody comes back",
        f"kill -9 of the worker at each of: {', '.join(POINTS)}; then the sweepers",
        len(POINTS),
        "an order where money had moved, nothing where it had not; no charge without an order, "
        "no hold, no operation left",
    )


def hurry(market: Market) -> None:
    """Let an hour pass for whatever waits, and run the sweepers."""
    for statement in (
        "UPDATE payments_operation SET started_at = started_at - interval '1 hour'",
        "UPDATE checkout_checkout SET expires_at = expires_at - interval '1 hour'",
        "UPDATE inventory_hold SET expires_at = expires_at - interval '1 hour'",
    ):
        market.run_sql(statement)
    market.shop.manage("shell", "-v", "0", "-c", SWEEPS)

"""The shop's own books after a replay, held against what its customers were told."""

import json
import time
from typing import Any

import psycopg

from tests.e2e.shop import Shop, connection_to
from tests.replay.seen import Ids, Sale, Seen
from tests.replay.stocking import TAXES
from tests.replay.trade import Item, Trade, worth

PATIENCE_SECONDS = 900.0
_HELD = "SELECT FROM inventory_hold UNION ALL SELECT FROM checkout_checkout LIMIT 1"
_SALES = "SELECT count(*) FROM payments_ledgerentry WHERE source = 'sales'"
_LEDGER = """
SELECT coalesce(sum(amount) FILTER (WHERE target = %s), 0)
    - coalesce(sum(amount) FILTER (WHERE source = %s), 0) FROM payments_ledgerentry
"""
_AN_HOUR_LATER = """
UPDATE orders_order SET updated_at = updated_at - interval '1 hour';
UPDATE payments_payment SET updated_at = updated_at - interval '1 hour';
"""


def stock(shop: Shop, trade: Trade) -> Ids:
    """Put goods and customers of the file into the shop."""
    offers: dict[str, list[Item]] = {}
    for item in trade.items:
        offers.setdefault(item.code, []).append(item)
    customers = {each.customer for each in trade.purchases} - {""}
    goods = [
        [code, trade.names[code], [[item.price, trade.start.get(item)] for item in items]]
        for code, items in offers.items()
    ]
    made = _print(shop, "print_ids()", {"customers": sorted(customers), "goods": goods})
    rows = zip(offers.values(), made["variants"], strict=True)
    variants = {
        item: variant for items, row in rows for item, variant in zip(items, row, strict=True)
    }
    return Ids(made["staff"], made["customers"], variants)


def close(shop: Shop, sales: int) -> None:
    """Wait until nobody holds anything and every sale is in the ledger, without any help."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while shop.query(_HELD) or shop.query(_SALES) != [(sales,)]:
        assert time.monotonic() < deadline, shop.workers[0].tail()
        time.sleep(0.2)
    shop.wait_until_quiet()


def require_right_stock(shop: Shop, trade: Trade, ids: Ids, seen: Seen) -> None:
    """On hand = start − sold + returned (+ what staff found), and nothing is reserved."""
    rows = shop.query("SELECT variant_id, on_hand, reserved FROM inventory_stocklevel")
    expected = {
        ids.variants[item]: (
            on_hand - seen.sold[item] + seen.returned[item] + seen.adjusted[item],
            0,
        )
        for item, on_hand in trade.start.items()
    }
    found = {str(variant): (on_hand, reserved) for variant, on_hand, reserved in rows}
    assert found == expected
    assert min(on_hand for on_hand, _ in expected.values()) >= 0


def require_right_money(shop: Shop, trade: Trade, seen: Seen) -> None:
    """Each order, their sum, the provider, the ledger: the file's pennies."""
    rows = shop.query(
        "SELECT id, total_amount, captured_amount, refunded_amount, status "
        "FROM orders_order WHERE number IS NOT NULL"
    )
    told = {
        each.order_id: (each.total, each.total, each.refunded, "fulfilled") for each in seen.sales
    }
    assert {str(order): tuple(amounts) for order, *amounts in rows} == told
    total = sum(each.total for each in seen.sales)
    assert total + worth(seen.refused) == sum(each.total for each in trade.purchases)
    assert [each.tax for each in seen.sales] == [_tax(each) for each in seen.sales]
    refunded = sum(each.refunded for each in seen.sales)
    assert refunded == worth(seen.returned) + seen.amounts_back
    assert shop.query("SELECT sum(captured - refunded) FROM sandbox_charge") == [
        (total - refunded,)
    ]
    balances = {each: shop.query(_LEDGER, each, each)[0][0] for each in ("sales", "clearing")}
    assert balances == {"sales": -total, "clearing": total - refunded}


def require_gapless_numbers(shop: Shop) -> None:
    """1, 2, 3 …"""
    rows = shop.query("SELECT number FROM orders_order WHERE number IS NOT NULL ORDER BY 1")
    assert [number for (number,) in rows] == list(range(1, len(rows) + 1))


def require_no_drift(shop: Shop) -> None:
    """An hour later, when `lavka reconcile` looks at everything."""
    with psycopg.connect(**connection_to(shop.database), autocommit=True) as connection:
        connection.execute(_AN_HOUR_LATER)
    ((payments,),) = shop.query("SELECT count(*) FROM payments_payment")
    nothing = {"money": f"{payments} payments checked, 0 differ", "levels": {}}
    assert _print(shop, "print_drift()") == nothing


def _tax(sale: Sale) -> int:
    """The tax inside the prices, rounded half up line by line."""
    percent = int(TAXES.get(sale.country, "0"))
    whole, amounts = 100 + percent, [item.price * each for item, each in sale.sold.items()]
    return sum((2 * amount * percent + whole) // (2 * whole) for amount in amounts)


def _print(shop: Shop, call: str, stdin: Any = None) -> Any:
    command = f"from tests.replay.stocking import *\n{call}"
    return json.loads(shop.manage("shell", "-v", "0", "-c", command, stdin=json.dumps(stdin)))

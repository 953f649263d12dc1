"""The ground of the purchases: stock that does not run out, and the books afterwards."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.buying import LINES, Shelf
from bench.ground import Ground
from bench.statements import LEAST_NUMBER

VARIANTS = 1000
UNITS = 10**8

_VARIANTS = """
SELECT variant.id FROM catalog_variant AS variant
JOIN catalog_product AS product ON product.id = variant.product_id
WHERE product.status = 'published' AND product.publish_at IS NULL
    AND product.unpublish_at IS NULL AND NOT variant.track_inventory
    AND NOT EXISTS (SELECT FROM inventory_stocklevel AS level WHERE level.variant_id = variant.id)
ORDER BY md5(variant.sku) LIMIT %s
"""
_STOCK = """
INSERT INTO inventory_stocklevel (variant_id, warehouse_id, on_hand)
SELECT unnest(%s::uuid[]), id, %s FROM inventory_warehouse WHERE code = 'main'
"""
_UNSTOCK = "DELETE FROM inventory_stocklevel WHERE variant_id = ANY(%s)"
_TRACK = """
UPDATE catalog_variant SET track_inventory = %s, has_stock = %s WHERE id = ANY(%s)
"""
# Numbers of orders start where no price lies, so that a statement's parameter tells which it is.
_NUMBERS = """
INSERT INTO orders_numberseries (name, last) VALUES ('orders', %s)
ON CONFLICT (name) DO UPDATE SET last = greatest(orders_numberseries.last, excluded.last)
"""
_EMPTY = """
TRUNCATE carts_cart, orders_order, inventory_hold, inventory_allocation, sandbox_charge,
    kernel_outboxevent, web_idempotentrequest CASCADE
"""
_BOOKS = """
SELECT
    (SELECT count(*) FROM orders_order WHERE status = 'placed' AND captured_amount = total_amount),
    (SELECT count(*) FROM orders_order),
    (SELECT count(DISTINCT number) FROM orders_order),
    (SELECT count(*) FROM carts_cart WHERE status = 'ordered'),
    (SELECT coalesce(sum(total_amount), 0) FROM orders_order),
    (SELECT coalesce(sum(captured), 0) FROM payments_payment),
    (SELECT coalesce(sum(captured), 0) FROM sandbox_charge),
    (SELECT coalesce(sum(amount), 0) FROM payments_ledgerentry WHERE payment_id IS NOT NULL),
    (SELECT coalesce(sum(quantity), 0) FROM orders_orderline),
    (SELECT coalesce(sum(quantity), 0) FROM inventory_allocation),
    (SELECT coalesce(sum(reserved), 0) FROM inventory_stocklevel),
    (SELECT count(*) FROM inventory_reservation)
"""


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the tables add up to, in orders, minor units and pieces."""

    paid: int
    orders: int
    numbers: int
    carts: int
    sold: int
    payments: int
    charges: int
    ledger: int
    pieces: int
    allocated: int
    reserved: int
    held: int

    def wrong(self, bought: int) -> list[str]:
        """Where they do not say that `bought` purchases were made, each paid once."""
        pairs = {
            "paid orders": (self.paid, bought),
            "orders": (self.orders, bought),
            "numbers": (self.numbers, bought),
            "ordered carts": (self.carts, bought),
            "payments": (self.payments, self.sold),
            "charges": (self.charges, self.sold),
            "ledger": (self.ledger, self.sold),
            "pieces": (self.pieces, LINES * bought),
            "allocated": (self.allocated, self.pieces),
            "reserved": (self.reserved, self.pieces),
            "still held": (self.held, 0),
        }
        return [
            f"{name}: {found}, and {wanted} is right"
            for name, (found, wanted) in pairs.items()
            if found != wanted
        ]


@contextmanager
def stocked(ground: Ground) -> Iterator[Shelf]:
    """Stock variants nobody had counted, for the length of a `with`; the last one is hot."""
    ground.manage("shell", "-c", "from lavka.demo import stock; stock.add_rates()")
    with ground.connect() as connection:
        variants: list[uuid.UUID] = [row[0] for row in connection.execute(_VARIANTS, [VARIANTS])]
        connection.execute(_STOCK, [variants, UNITS])
        connection.execute(_TRACK, [True, True, variants])
        connection.execute(_NUMBERS, [LEAST_NUMBER])
        *others, hot = variants
    try:
        yield Shelf(variants=others, hot=hot)
    finally:
        clear(ground, variants)


def clear(ground: Ground, unstocked: list[uuid.UUID] | None = None) -> None:
    """Take all purchases back, and the stock of `unstocked` variants."""
    with ground.connect() as connection:
        connection.execute(_EMPTY)
        connection.execute("UPDATE inventory_stocklevel SET reserved = 0 WHERE reserved > 0")
        if unstocked:
            connection.execute(_UNSTOCK, [unstocked])
            connection.execute(_TRACK, [False, False, unstocked])
        connection.execute("VACUUM (ANALYZE)")


def books_of(ground: Ground) -> Books:
    """Add up."""
    with ground.connect() as connection:
        row: Any = connection.execute(_BOOKS).fetchone()
    return Books(**dict(zip(Books.__dataclass_fields__, map(int, row), strict=True)))

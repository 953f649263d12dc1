"""The books after a fault: every purchase once in each of them, and nothing left on its way."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from lavka.kernel import queues
from tests.faults.load import Load
from tests.faults.stocking import ON_HAND
from tests.faults.world import World

# How long the books may stay as they are while they differ, besides three times the fault's length;
# and how long that may take in all: a broker that lost its messages is sent a day's again.
PATIENCE_SECONDS = 60
LONGEST_SECONDS = 480
# Pieces of each purchase, by variant.
PIECES = (1, 2)

_ORDERS = """
SELECT ordered.id::text, total_amount, captured_amount, payment_status
FROM orders_order AS ordered
WHERE number IS NOT NULL AND EXISTS (
    SELECT FROM orders_orderline AS line
    WHERE line.order_id = ordered.id AND line.variant_id = ANY (%s::uuid[])
)
"""
_CHARGES = """
SELECT payment.order_id::text, charge.captured - charge.refunded
FROM sandbox_charge AS charge
JOIN payments_operation AS operation ON operation.id = charge.key
JOIN payments_payment AS payment ON payment.id = operation.payment_id
WHERE charge.captured > charge.refunded AND EXISTS (
    SELECT FROM orders_orderline AS line
    WHERE line.order_id = payment.order_id AND line.variant_id = ANY (%s::uuid[])
)
"""
_LEDGER = """
SELECT order_id::text, sum(amount)::bigint FROM payments_ledgerentry
WHERE source = 'receivable' AND target = 'clearing' AND order_id = ANY (%s::uuid[])
GROUP BY order_id
"""
_STOCK = """
SELECT on_hand, reserved FROM inventory_stocklevel
WHERE variant_id = ANY (%s::uuid[]) ORDER BY array_position(%s::uuid[], variant_id)
"""
_PLACED_EVENTS = """
SELECT event_id::text, aggregate::text FROM kernel_recordedevent
WHERE name = 'orders.order_placed' AND aggregate = ANY (%s::uuid[])
"""
_STUCK = {
    "events in the outbox": "SELECT count(*) FROM kernel_outboxevent",
    "events no broker has": """
        SELECT count(*) FROM kernel_recordedevent WHERE position > coalesce(
            (SELECT position FROM kernel_bookmark WHERE reader = 'relayed'), 0)""",
    "holds": "SELECT count(*) FROM inventory_hold",
    "drafts": "SELECT count(*) FROM checkout_checkout",
    "operations without an end": """
        SELECT count(*) FROM payments_operation WHERE state IN ('started', 'waiting')""",
    "webhooks under way": "SELECT count(*) FROM webhooks_delivery WHERE status = 'pending'",
    "mails under way": "SELECT count(*) FROM notifications_sentmail WHERE sent_at IS NULL",
    "claimed keys": "SELECT count(*) FROM web_idempotentrequest WHERE status IS NULL",
}
# Whoever held these leases was killed, and these pauses are minutes long.
_TIME_PASSES = (
    "UPDATE web_idempotentrequest SET leased_until = now() WHERE status IS NULL",
    "UPDATE notifications_sentmail SET claimed_at = claimed_at - interval '3 minutes'"
    " WHERE sent_at IS NULL",
    "UPDATE webhooks_delivery SET claimed_until = now() WHERE claimed_until IS NOT NULL",
    "UPDATE webhooks_delivery SET next_attempt_at = now() WHERE next_attempt_at > now()",
    "UPDATE webhooks_endpoint SET open_until = now() WHERE open_until > now()",
)
_MESSAGE_ID = re.compile(r"^Message-ID: <([0-9a-f-]{36})\.order_placed@", re.MULTILINE)


@dataclass(frozen=True)
class Books:
    """What the books had when they balanced, and how long that took after the load had ended."""

    orders: int
    reviews: int
    seconds: float
    doubled_mails: int

    def __str__(self) -> str:
        return (
            f"{self.orders} orders = charges = stock = mails = webhooks, {self.reviews} reviews; "
            f"all there {self.seconds:.0f} s after the load ended"
        )


def pass_time(world: World) -> None:
    """Let leases and pauses run out, so that nobody waits minutes for them."""
    with world.shop.connect(world.shop.database) as connection:
        for statement in _TIME_PASSES:
            connection.execute(statement)


def balance(world: World, load: Load) -> Books:
    """Wait until every book says the same. Fails with what is amiss when it stays so."""
    started = changed = time.monotonic()
    before: list[str] = []
    while amiss := list(differences(world, load)):
        now = time.monotonic()
        if amiss != before:
            before, changed = amiss, now
        until = min(changed + PATIENCE_SECONDS, started + LONGEST_SECONDS) + 3 * world.seconds
        assert now < until, f"{amiss}\n{world.shop.workers[0].tail()}"
        if now - started > 10:
            pass_time(world)
        time.sleep(0.5)
    seconds = time.monotonic() - started
    placed = {str(event) for event, _ in world.shop.query(_PLACED_EVENTS, load.orders)}
    mails = Counter(event for event in _mails(world) if event in placed)
    return Books(
        orders=len(load.orders),
        reviews=len(load.stars),
        seconds=seconds,
        doubled_mails=mails.total() - len(mails),
    )


def differences(world: World, load: Load) -> Iterator[str]:
    """Each way in which the books differ now."""
    query, variants = world.shop.query, load.goods.variants
    orders: dict[str, Any] = {str(row[0]): row[1:] for row in query(_ORDERS, variants)}
    if orders.keys() != set(load.orders) or len(orders) != len(load.orders):
        yield f"the shop has {len(orders)} orders, its customers know of {len(load.orders)}"
    unpaid = [row for row in orders.values() if row[0] != row[1] or row[2] != "paid"]
    if unpaid:
        yield f"not paid as they should be: {unpaid}"
    totals = sorted((order, row[0]) for order, row in orders.items())
    for name, rows in (
        ("charges", query(_CHARGES, variants)),
        ("ledger", query(_LEDGER, list(orders))),
    ):
        if sorted(rows) != totals:  # type: ignore[type-var]
            yield f"{name}: {len(rows)} for {len(orders)} orders"
    stock = query(_STOCK, variants, variants)
    moved = [(ON_HAND, pieces * len(orders)) for pieces in PIECES]
    if stock != moved:
        yield f"stock: {stock}, not {moved}"
    placed = {str(event): str(order) for event, order in query(_PLACED_EVENTS, list(orders))}
    for name, found in (
        ("mails", Counter(placed[each] for each in set(_mails(world)) if each in placed)),
        ("webhooks", Counter({o: n for o, n in world.receiver.orders().items() if o in orders})),
    ):
        if found != Counter(orders.keys()):
            yield f"{name}: {found.total()} for {len(orders)} orders"
    yield from _reviews(world, load)
    yield from _stuck(world)


def _reviews(world: World, load: Load) -> Iterator[str]:
    written = world.shop.query(
        "SELECT rating FROM reviews_review WHERE product_id = %s", load.goods.product_id
    )
    if sorted(stars for (stars,) in written) != sorted(load.stars):  # type: ignore[type-var]
        yield f"reviews: {len(written)} there, {len(load.stars)} written"
    path = f"{world.shop.base_url}/api/v1/products/{load.goods.slug}/rating/"
    rating = httpx.get(path, timeout=10).json()
    counts = Counter(load.stars)
    if list(rating.get("histogram", {}).values()) != [counts[stars] for stars in range(1, 6)]:
        yield f"rating: {rating} for {counts}"


def _stuck(world: World) -> Iterator[str]:
    for name, statement in _STUCK.items():
        ((count,),) = world.shop.query(statement)
        if count:
            yield f"{count} {name}"
    for task, reason, error in world.shop.query(
        "SELECT task, reason, error FROM kernel_deadletter"
    ):
        yield f"dead letter: {task} {reason} {str(error)[-1500:]}"
    for purpose in queues.PURPOSES:
        if waiting := world.broker.queued(f"lavka.{purpose}"):
            yield f"{waiting} messages in {purpose}"
    if world.broker.queued(queues.DEAD.name):
        yield "messages put aside by RabbitMQ"
    if world.receiver.refused:
        yield f"webhooks that were refused: {world.receiver.refused}"


def _mails(world: World) -> list[str]:
    """The event of each mail that tells of an order."""
    folder = world.folder / "shop" / "state" / "mail"
    return [found for mail in folder.glob("*") for found in _MESSAGE_ID.findall(mail.read_text())]

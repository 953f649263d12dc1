"""Buyers who all come at once, over HTTP, to a shop that runs in processes of its own."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from tests.e2e.shop import Shop, connection_to

type Call = Callable[[httpx.AsyncClient], Awaitable[str]]


@dataclass(frozen=True)
class Round:
    """New variants, and carts that want one piece of each."""

    variants: list[str]
    carts: list[str]


class Market:
    """A running shop and what happens in it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def rounds(self, count: int, *, buyers: int, on_hand: Sequence[int] = (1,)) -> list[Round]:
        printed = self._run(
            f"print_rounds(rounds={count}, buyers={buyers}, on_hand={list(on_hand)})"
        )
        return [Round(**each) for each in json.loads(printed)]

    def staff_token(self) -> str:
        return self._run("print_staff_token()").strip()

    def all_at_once(self, *calls: Call) -> Counter[str]:
        """Start every call at the same moment; how often each outcome was seen."""

        async def run() -> list[str]:
            limits = httpx.Limits(max_connections=len(calls))
            async with httpx.AsyncClient(
                base_url=f"{self.shop.base_url}/api/v1", timeout=60, limits=limits
            ) as client:
                return await asyncio.gather(*(call(client) for call in calls))

        return Counter(asyncio.run(run()))

    def run_sql(self, statement: str, *values: object) -> None:
        """Change something behind the shop's back."""
        with psycopg.connect(**connection_to(self.shop.database), autocommit=True) as connection:
            connection.execute(statement, values)  # type: ignore[arg-type]

    def stock_of(self, variant: str) -> tuple[int, int]:
        """On hand and reserved."""
        statement = "SELECT on_hand, reserved FROM inventory_stocklevel WHERE variant_id = %s"
        ((on_hand, reserved),) = self.shop.query(statement, variant)
        return int(str(on_hand)), int(str(reserved))

    def sold(self, variant: str) -> int:
        """Pieces on placed orders."""
        statement = (
            "SELECT coalesce(sum(quantity), 0) FROM orders_orderline AS line "
            "JOIN orders_order AS ordered ON ordered.id = line.order_id "
            "WHERE number IS NOT NULL AND variant_id = %s"
        )
        return int(str(self.shop.query(statement, variant)[0][0]))

    def charges(self) -> int:
        """How often the provider took money and did not give all of it back."""
        statement = "SELECT count(*) FROM sandbox_charge WHERE captured > refunded"
        return int(str(self.shop.query(statement)[0][0]))

    def numbers(self) -> list[int]:
        """The numbers of all orders."""
        rows = self.shop.query(
            "SELECT number FROM orders_order WHERE number IS NOT NULL ORDER BY 1"
        )
        return [int(str(number)) for (number,) in rows]

    def _run(self, call: str) -> str:
        return self.shop.manage(
            "shell", "-v", "0", "-c", f"from tests.races.stocking import *\n{call}"
        )


def buys(cart: str) -> Call:
    """Ask for a quote and order it; the outcome is the order's status or the refusal's code."""

    async def call(client: httpx.AsyncClient) -> str:
        quote = await client.post(f"/carts/{cart}/quote/")
        if quote.status_code != 201:
            return outcome_of(quote)
        return outcome_of(await check_out(client, cart, quote.json()["id"]))

    return call


async def check_out(
    client: httpx.AsyncClient, cart: str, quote: str, *, key: str = "", token: str = "success"
) -> httpx.Response:
    return await client.post(
        f"/carts/{cart}/checkout/",
        json={"quote_id": quote, "payment": {"method": "sandbox", "token": token}},
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def outcome_of(answer: httpx.Response) -> str:
    body: dict[str, Any] = answer.json()
    return str(body["order"]["status"] if answer.status_code == 201 else body["code"])

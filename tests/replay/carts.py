"""One cart from its first line to the order."""

from collections import Counter
from typing import Any

import httpx

from tests.addresses.factories import address_in
from tests.replay.seen import Ids, Seen
from tests.replay.trade import Item, Purchase
from tests.replay.wire import Person


class CartOf:
    """A buyer's cart; `wanted` shrinks by what is `refused` for want of stock."""

    def __init__(
        self, buyer: Person, purchase: Purchase, wanted: dict[Item, int], ids: Ids, seen: Seen
    ) -> None:
        self.buyer, self.purchase, self.wanted = buyer, purchase, dict(wanted)
        self.ids, self.seen = ids, seen
        self.refused: Counter[Item] = Counter()
        self.lines: dict[Item, str] = {}
        self.path = ""

    async def buy(self, means: str) -> dict[str, Any] | None:
        """The order, or None when nothing that is wanted is there."""
        await self.fill()
        while self.wanted:
            quote = await self.quote()
            order = await self._check_out(quote, means) if quote else None
            if order is not None:
                return order
        return None

    async def fill(self) -> None:
        """Put the goods in, say where they go, and how."""
        cart = await self.buyer.call("POST", "/carts/", {}, expected=201)
        self.path = f"/carts/{cart['id']}"
        for item, quantity in list(self.wanted.items()):
            line = {"variant_id": self.ids.variants[item], "quantity": quantity}
            answer = await self.buyer.ask("POST", f"{self.path}/lines/", line)
            if answer.status_code == 409:
                self._refuse(self._short_of(answer))
                continue
            assert answer.status_code == 201, answer.text
            for each in answer.json()["lines"]:
                self.lines[self.ids.items[each["variant_id"]]] = each["id"]
        await self.buyer.call("PUT", f"{self.path}/addresses/", _addresses(self.purchase))
        ways = await self.buyer.call("GET", f"{self.path}/shipping-options/")
        way = {"id": ways["items"][0]["id"]}
        await self.buyer.call("PUT", f"{self.path}/shipping-option/", way)

    async def quote(self) -> str:
        """The id of a quote; empty when something is out of stock, which is then left out."""
        answer = await self.buyer.ask("POST", f"{self.path}/quote/")
        if answer.status_code == 201:
            return str(answer.json()["id"])
        await self._leave_out(answer)
        return ""

    async def _check_out(self, quote: str, means: str) -> dict[str, Any] | None:
        """The order; a declined customer pays by other means at once."""
        body = {"quote_id": quote, "payment": {"method": "sandbox", "token": means}}
        answer = await self.buyer.ask("POST", f"{self.path}/checkout/", body)
        if answer.status_code == 402:
            assert (means, answer.json()["code"]) == ("declined", "payment_declined")
            self.seen.counts["payments declined, then paid"] += 1
            return await self._check_out(quote, "success")
        if answer.status_code != 201:
            await self._leave_out(answer)
            return None
        self.seen.counts["payments charged without an answer"] += means == "timeout_after_charge"
        order: dict[str, Any] = answer.json()["order"]
        return order

    async def _leave_out(self, answer: httpx.Response) -> None:
        short = self._short_of(answer)
        self._refuse(short)
        for item in short:
            await self.buyer.call("DELETE", f"{self.path}/lines/{self.lines.pop(item)}/")

    def _short_of(self, answer: httpx.Response) -> list[Item]:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "out_of_stock"), answer.text
        return [self.ids.items[each["variant_id"]] for each in problem["details"]["variants"]]

    def _refuse(self, items: list[Item]) -> None:
        for item in items:
            self.refused[item] += self.wanted.pop(item)


def _addresses(purchase: Purchase) -> dict[str, Any]:
    name = purchase.customer or "guest"
    shipping = address_in(purchase.country, name=f"No. {name}")
    return {"email": f"{name}@example.com", "shipping": shipping, "billing": None}

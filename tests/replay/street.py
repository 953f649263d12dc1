"""Everybody in front of a shop and behind its counter, many at a time, in the file's order."""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from random import Random

import httpx

from tests.e2e.shop import Shop
from tests.replay.carts import CartOf
from tests.replay.seen import Ids, Sale, Seen
from tests.replay.trade import Adjustment, Cancellation, Happening, Item, Purchase, Trade, worth
from tests.replay.wire import Person

CLIENTS, DAWDLERS = 24, 3
# How one checkout after the other is paid: the fewest have trouble.
MEANS = [*["success"] * 5, "declined", *["success"] * 5, "timeout_after_charge"]


class Street:
    """`Street(shop, trade, ids).run()` lets it all happen and tells what was seen."""

    def __init__(self, shop: Shop, trade: Trade, ids: Ids) -> None:
        self.shop, self.trade, self.ids = shop, trade, ids
        self.seen = Seen()
        self.means = itertools.cycle(MEANS)
        self.sales: dict[str, list[Sale]] = defaultdict(list)
        self.shopping: dict[str, list[asyncio.Event]] = defaultdict(list)
        self.is_open = True

    def run(self) -> Seen:
        """Take the happenings by `CLIENTS` at a time."""
        began = time.monotonic()
        asyncio.run(self._run())
        self.seen.seconds = time.monotonic() - began
        return self.seen

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=CLIENTS + DAWDLERS)
        async with httpx.AsyncClient(
            base_url=f"{self.shop.base_url}/api/v1", timeout=60, limits=limits
        ) as self.client:
            self.staff = Person(self.client, self.seen.answers, self.ids.staff, is_staff=True)
            todo = iter(self.trade.happenings)
            async with asyncio.TaskGroup() as people:
                for number in range(DAWDLERS):
                    people.create_task(self._dawdle(Random(number)))
                await asyncio.wait(
                    [people.create_task(self._go_through(todo)) for _ in range(CLIENTS)]
                )
                self.is_open = False

    async def _go_through(self, todo: Iterator[Happening]) -> None:
        for happening in todo:
            match happening:
                case Purchase():
                    await self._shop(happening)
                case Cancellation():
                    await self._take_back(happening)
                case Adjustment():
                    await self._adjust(happening)

    async def _shop(self, purchase: Purchase) -> None:
        is_done = asyncio.Event()
        self.shopping[purchase.customer].append(is_done)
        carts = purchase.carts()
        self.seen.counts["invoices in several carts"] += len(carts) > 1
        for wanted in carts:
            cart = self._cart(purchase, wanted)
            order = await cart.buy(next(self.means))
            self._require_short(cart)
            self.seen.refused.update(cart.refused)
            if order is not None:
                sale = Sale.of(order, purchase, self.ids)
                # To the penny: what the invoice says, without what was refused.
                assert sale.sold == cart.wanted
                assert (sale.total, order["status"]) == (worth(cart.wanted), "placed")
                await self._send(sale)
                self._remember(sale, purchase.customer)
        is_done.set()

    def _cart(self, purchase: Purchase, wanted: dict[Item, int]) -> CartOf:
        customer = self.ids.customers.get(purchase.customer, "")
        buyer = Person(self.client, self.seen.answers, customer)
        return CartOf(buyer, purchase, wanted, self.ids, self.seen)

    def _require_short(self, cart: CartOf) -> None:
        assert self.trade.short.issuperset(cart.refused), "refused what there was enough of"

    async def _send(self, sale: Sale) -> None:
        parcel = {"lines": sale.pieces(sale.sold.items()), "carrier": "Royal Mail"}
        path = f"/manage/orders/{sale.order_id}/shipments/"
        await self.staff.call("POST", path, parcel, expected=201)

    def _remember(self, sale: Sale, customer: str) -> None:
        self.seen.sales.append(sale)
        self.seen.sold.update(sale.sold)
        if customer:
            self.sales[customer].append(sale)

    async def _take_back(self, cancellation: Cancellation) -> None:
        """Find what is cancelled among what its customer bought before, the latest first."""
        for earlier in list(self.shopping[cancellation.customer]):
            await earlier.wait()
        bought = self.sales[cancellation.customer][::-1]
        # Claimed before the first request, so that nobody else takes the same pieces back.
        for sale, pieces in self._claim(bought, cancellation).items():
            await self._return(sale, pieces)
        if cancellation.amount:
            await self._give_back(bought, cancellation.amount)

    def _claim(self, bought: list[Sale], cancellation: Cancellation) -> dict[Sale, Counter[Item]]:
        claimed: dict[Sale, Counter[Item]] = defaultdict(Counter)
        for item, quantity in cancellation.pieces.items():
            missing = quantity
            for sale in bought:
                affordable = sale.money_left // item.price if item.price else missing
                if taken := min(missing, sale.left[item], affordable):
                    claimed[sale][item] = taken
                    sale.left[item] -= taken
                    sale.money_left -= taken * item.price
                    missing -= taken
            self.seen.not_bought[item] += missing
        return claimed

    async def _return(self, sale: Sale, pieces: Counter[Item]) -> None:
        guest = Person(self.client, self.seen.answers)
        asked = await guest.call(
            "POST",
            f"/orders/{sale.order_id}/returns/",
            {"lines": sale.pieces(pieces.items()), "reason": "unwanted"},
            expected=201,
            key=sale.key,
        )
        steps = f"/manage/returns/{asked['id']}"
        await self.staff.call("POST", f"{steps}/approve/")
        await self.staff.call("POST", f"{steps}/receive/", {"restock": True})
        await self.staff.call("POST", f"{steps}/refund/")
        self.seen.returned.update(pieces)
        self.seen.counts["returns"] += 1

    async def _give_back(self, bought: list[Sale], amount: int) -> None:
        sale = next((each for each in bought if each.money_left >= amount), None)
        if sale is None:
            self.seen.amounts_not_back += amount
            return
        sale.money_left -= amount
        money = {"amount": {"amount": amount, "currency": "GBP"}}
        await self.staff.call("POST", f"/manage/orders/{sale.order_id}/refund/", money)
        self.seen.amounts_back += amount

    async def _adjust(self, adjustment: Adjustment) -> None:
        item = self.trade.shelves[adjustment.code]
        change = {
            "warehouse": "main",
            "by": adjustment.by,
            "reason": "count" if adjustment.by > 0 else "damage",
            "reference": adjustment.number,
        }
        path = f"/manage/variants/{self.ids.variants[item]}/stock/adjustments/"
        answer = await self.staff.ask("POST", path, change)
        if answer.status_code == 201:
            self.seen.adjusted[item] += adjustment.by
        else:
            # Nobody can lose what is promised to others, or was never there.
            assert answer.json()["code"] in {"stock_promised", "not_on_hand"}, answer.text
            assert item in self.trade.short
            self.seen.counts["adjustments refused"] += 1

    async def _dawdle(self, dice: Random) -> None:
        """Fill a cart, have its stock held, and walk away, again and again."""
        coveted = sorted(self.trade.short) or self.trade.items
        popular = [item for item, _ in self.trade.requested.most_common(50)]
        while self.is_open:
            wanted = {dice.choice(coveted): 1, dice.choice(popular): 1}
            cart = self._cart(Purchase("", "", "FR"), wanted)
            await cart.fill()
            if cart.wanted and await cart.quote():
                self.seen.counts["carts abandoned with a hold"] += 1
            self._require_short(cart)
            await asyncio.sleep(1)

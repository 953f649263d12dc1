"""Customers who buy: each fills a cart with three lines and orders it, again and again."""

import statistics
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.exchange import Client, Request

LINES = 3
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}

type Goods = tuple[uuid.UUID, ...]
type Buy = Callable[[Goods], object]


class Refused(Exception):
    """A step of a purchase was not answered as it should be."""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What is bought: three of `variants`, one of which is `hot` when that is given."""

    variants: Sequence[uuid.UUID]
    hot: uuid.UUID | None = None

    def pick(self, random: Random) -> Goods:
        """Three different ones."""
        if self.hot is None:
            return tuple(random.sample(self.variants, LINES))
        return (self.hot, *random.sample(self.variants, LINES - 1))


@dataclass(kw_only=True)
class Bought:
    """How long each purchase took, how long all did, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        """Purchases."""
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0

    def quantile_ms(self, part: float) -> float:
        """How long the purchase took that `part` of all were quicker than."""
        if len(self.seconds) < 2:
            return sum(self.seconds) * 1000
        return statistics.quantiles(self.seconds, n=1000)[round(part * 1000) - 1] * 1000


def buy_for(seconds: float, shelf: Shelf, buyers: Sequence[Buy]) -> Bought:
    """Let each of `buyers` buy in a thread of its own until the time is over."""
    bought = Bought()
    started = time.monotonic()

    def shop_on(buy: Buy, random: Random) -> None:
        while time.monotonic() < started + seconds:
            began = time.monotonic()
            try:
                buy(shelf.pick(random))
            except Exception as fault:  # noqa: BLE001 - each is counted and told
                bought.wrong.append(repr(fault)[:500])
                return
            bought.seconds.append(time.monotonic() - began)

    threads = [
        threading.Thread(target=shop_on, args=(buy, Random()))  # noqa: S311 - any three
        for buy in buyers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bought.elapsed = time.monotonic() - started
    return bought


def guest(port: int) -> tuple[Client, Buy]:
    """A guest's connection, to be closed, and how they buy over it."""
    client = Client(port)
    return client, lambda goods: purchase(client, goods)


def purchase(client: Client, goods: Goods) -> None:
    """From an empty cart to a paid order: 9 requests. Raises: Refused."""
    cart = f"/api/v1/carts/{_ask(client, 'POST', '/api/v1/carts/', {})['id']}"
    for variant_id in goods:
        _ask(client, "POST", f"{cart}/lines/", {"variant_id": str(variant_id), "quantity": 1})
    _ask(client, "PUT", f"{cart}/addresses/", {"email": "ada@example.com", "shipping": ADDRESS})
    options = _ask(client, "GET", f"{cart}/shipping-options/")["items"]
    _ask(client, "PUT", f"{cart}/shipping-option/", {"id": options[0]["id"]})
    quote = _ask(client, "POST", f"{cart}/quote/")
    means = {"method": "sandbox", "token": "success"}
    wanted = {"quote_id": quote["id"], "payment": means}
    done = _ask(client, "POST", f"{cart}/checkout/", wanted, {"Idempotency-Key": str(uuid.uuid4())})
    if (done["order"]["status"], done["payment"]["status"]) != ("placed", "captured"):
        raise Refused(f"the order is {done['order']['status']}: {done['payment']['status']}")


def _ask(
    client: Client, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Any:
    kind = {} if body is None else {"Content-Type": "application/json"}
    answer = client.send(
        Request(method=method, path=path, body=body, headers={**kind, **(headers or {})})
    )
    if answer.status not in {200, 201}:
        raise Refused(f"{method} {path}: {answer.status} {answer.body}")
    return answer.body


def closed(clients: Sequence[Client]) -> closing[Any]:
    """Hangs up for all of them."""

    class All:
        def close(self) -> None:
            for client in clients:
                client.close()

    return closing(All())

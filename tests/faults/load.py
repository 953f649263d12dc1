"""A steady load: people who buy, review and look around, and who try again when told to."""

import asyncio
import itertools
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.carts.factories import ADDRESS
from tests.e2e.test_ratings_replay import bearer

BUYERS, REVIEWERS, READERS = 3, 2, 2
PAUSE_SECONDS = 0.1
# A client that is told to come back does so for this long, then it is a lost one.
PATIENCE_SECONDS = 150
ADDRESSES = itertools.count(1)


@dataclass(frozen=True)
class Goods:
    """What one load is about, so that its books can be told from those of other loads."""

    variants: list[str]
    product_id: str
    slug: str
    reviewers: list[str]


@dataclass
class Seen:
    """What clients were told, by kind of request: a status, a problem's code or a cut line."""

    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def note(self, kind: str, outcome: str, seconds: float) -> None:
        self.answers[kind][outcome] += 1
        self.slowest[kind] = max(self.slowest[kind], seconds)

    def troubles(self, *kinds: str) -> Counter[str]:
        """All that was no plain success."""
        found: Counter[str] = Counter()
        for kind in kinds or self.answers:
            for outcome, times in self.answers[kind].items():
                if not outcome.startswith("2"):
                    found[outcome] += times
        return found


class Load:
    """`with Load(base_url, goods) as load:` buys, reviews and reads until the block ends.

    Then everybody finishes what they have begun: a purchase is asked for, under the same keys,
    until it is answered.
    """

    def __init__(self, base_url: str, goods: Goods) -> None:
        """Start nobody yet."""
        self.base_url, self.goods = base_url, goods
        self.seen = Seen()
        self.orders: list[str] = []
        self.stars: list[int] = []
        self.faults: list[BaseException] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS + 60)
        assert not self._thread.is_alive(), f"somebody still waits: {self.seen}"
        if self.faults:
            raise self.faults[0]

    def wait_for_orders(self, number: int, patience_seconds: float = 60) -> None:
        """Return when so many more purchases have been made."""
        wanted, deadline = len(self.orders) + number, time.monotonic() + patience_seconds
        while len(self.orders) < wanted:
            assert not self.faults, self.faults
            assert time.monotonic() < deadline, f"{len(self.orders)} of {wanted}: {self.seen}"
            time.sleep(0.05)

    def _run(self) -> None:
        try:
            asyncio.run(self._crowd())
        except BaseException as fault:
            self.faults.append(fault)

    async def _crowd(self) -> None:
        reviewers, stars = iter(self.goods.reviewers), itertools.cycle(range(1, 6))

        async def review(client: "Client") -> None:
            author, rating = next(reviewers, None), next(stars)
            if author is None:
                # Each has written once; the others go on.
                return
            path = f"/products/{self.goods.slug}/reviews/"
            body = {"rating": rating, "title": "", "text": "Written while something was broken."}
            await client.ask("review", "POST", path, body, author=author)
            self.stars.append(rating)

        async with asyncio.TaskGroup() as crowd:
            for _ in range(BUYERS):
                crowd.create_task(self._repeat(self._buy))
            for _ in range(REVIEWERS):
                crowd.create_task(self._repeat(review))
            for _ in range(READERS):
                crowd.create_task(self._repeat(self._read))

    async def _repeat(self, act: Callable[["Client"], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            async with Client(self.base_url, self.seen) as client:
                await act(client)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, client: "Client") -> None:
        for _ in range(10):
            for path in ("/products/?limit=20", f"/products/{self.goods.slug}/"):
                await client.ask("read", "GET", path)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _buy(self, client: "Client") -> None:
        """One piece of the first thing and two of the second."""
        ask = client.ask
        cart = f"/carts/{(await ask('write', 'POST', '/carts/', {}))['id']}"
        for quantity, variant in enumerate(self.goods.variants, start=1):
            line = {"variant_id": variant, "quantity": quantity}
            await ask("write", "POST", f"{cart}/lines/", line)
        addresses = {"email": "buyer@example.com", "shipping": ADDRESS, "billing": None}
        await ask("write", "PUT", f"{cart}/addresses/", addresses)
        (option,) = (await ask("write", "GET", f"{cart}/shipping-options/"))["items"]
        await ask("write", "PUT", f"{cart}/shipping-option/", {"id": option["id"]})
        quote = (await ask("write", "POST", f"{cart}/quote/"))["id"]
        payment = {"method": "sandbox", "token": "success"}
        body = {"quote_id": quote, "payment": payment}
        bought = await ask("checkout", "POST", f"{cart}/checkout/", body)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while bought["order"]["status"] != "placed":
            assert time.monotonic() < deadline, bought
            await asyncio.sleep(0.5)
            bought = await ask("write", "GET", f"{cart}/checkout/")
        self.orders.append(bought["order"]["id"])


class Client:
    """A client with a network address and a connection of its own."""

    def __init__(self, base_url: str, seen: Seen) -> None:
        """Connect at the first request."""
        number = next(ADDRESSES)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.seen = seen
        self.http = httpx.AsyncClient(
            base_url=f"{base_url}/api/v1", timeout=30, headers={"X-Forwarded-For": address}
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def ask(
        self, kind: str, method: str, path: str, body: Any = None, *, author: str = ""
    ) -> Any:
        """Ask until it is done: what may succeed later is asked again under the same key."""
        key, deadline = str(uuid.uuid4()), time.monotonic() + PATIENCE_SECONDS
        while True:
            headers = bearer(uuid.UUID(author)) if author else {}
            if method != "GET":
                headers["Idempotency-Key"] = key
            started = time.perf_counter()
            try:
                answer = await self.http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as fault:
                outcome, pause = type(fault).__name__, 0.3
            else:
                outcome, pause = outcome_of(answer), _pause(answer)
            self.seen.note(kind, outcome, time.perf_counter() - started)
            if outcome.startswith("2"):
                return answer.json()
            assert time.monotonic() < deadline, f"{method} {path}: {outcome}"
            if kind == "read":
                return None
            assert outcome in RETRIED, f"{method} {path}: {outcome} {answer.text}"
            await asyncio.sleep(pause)


# What a client may be told while something is broken; anything else fails the test.
CUT = {"ConnectError", "ReadError", "RemoteProtocolError", "WriteError", "ReadTimeout"}
RETRIED = {"503 unavailable", "409 request_in_progress", "401 unauthenticated", *CUT}


def outcome_of(answer: httpx.Response) -> str:
    """The status, and of a problem its code."""
    if answer.status_code < 300:
        return str(answer.status_code)
    if answer.headers.get("Content-Type") != "application/problem+json":
        return f"{answer.status_code} without a problem: {answer.text[:100]}"
    return f"{answer.status_code} {answer.json()['code']}"


def _pause(answer: httpx.Response) -> float:
    return float(answer.headers.get("Retry-After", "0.3"))

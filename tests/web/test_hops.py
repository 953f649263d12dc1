"""How often a request leaves the event loop: never for a hot read, once for a write."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

from lavka.kernel import threads
from lavka.web import json
from lavka.web.handler import FastLane
from tests.accounts.factories import PASSWORD, make_customer, make_staff, token_of
from tests.catalog.factories import make_brand, make_category, make_product, make_variant
from tests.web.asgi import Client, in_one_piece
from tests.web.hops import counted_hops

pytestmark = pytest.mark.usefixtures("worker_threads")


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"


async def ask(
    method: str, path: str, body: dict[str, Any] | None = None, *, token: str = ""
) -> Client:
    content = json.dumps(body) if body is not None else b""
    headers = {"content-type": "application/json", "content-length": str(len(content))}
    if token:
        headers["authorization"] = f"Bearer {token}"
    path, _, query = path.partition("?")
    client = Client(method, f"/api/v1{path}", in_one_piece(content), headers, query.encode())
    return await client.ask(FastLane())


async def test_the_counter_sees_a_hop(monkeypatch):
    """If this fails, the tests below prove nothing."""
    with counted_hops(monkeypatch) as hops:
        await threads.in_thread(int)

    assert hops == ["ThreadPoolExecutor.submit"]


def public_reads() -> Iterator[tuple[str, str]]:
    """The view and the path of each public read, as the paths of the shop stand."""

    def below(prefix: str, resolver: URLResolver) -> Iterator[tuple[str, str]]:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(path, pattern)
                continue
            view = getattr(pattern.callback, "cls", None)
            if getattr(view, "cache_control", "").startswith("public"):
                yield view.__name__, path.removeprefix("/api/v1")

    return below("/", get_resolver("config.urls"))


# Public too, but so fresh that nobody keeps them.
FRESH = [("ReviewsView", "/products/<slug>/reviews/"), ("RatingView", "/products/<slug>/rating/")]


@pytest.mark.parametrize(("view", "path"), [*public_reads(), *FRESH])
async def test_a_hot_read_never_leaves_the_event_loop(monkeypatch, view, path):
    def stock() -> str:
        shelf = {"brand": make_brand(slug="kettle"), "category": make_category(slug="kettle")}
        product = make_product(slug="kettle", **shelf)
        make_variant(product=product)
        return str(product.slug)

    slug = await threads.in_thread(stock)

    with counted_hops(monkeypatch) as hops:
        answer = await ask("GET", path.replace("<slug:slug>", slug).replace("<slug>", slug))

    assert answer.status < 500, answer.body
    assert answer.status == 200 or view not in dict(FRESH)
    assert hops == []


async def test_a_token_is_checked_without_a_hop(monkeypatch):
    customer = await threads.in_thread(lambda: token_of(make_customer()))

    with counted_hops(monkeypatch) as hops:
        answers = [
            await ask("GET", "/manage/products/", token=customer),
            await ask("GET", "/me/", token=customer),
            await ask("GET", "/me/reviews/", token=customer),
        ]

    assert ([answer.status for answer in answers], hops) == ([403, 200, 200], [])


async def test_a_refusal_needs_no_hop(monkeypatch):
    with counted_hops(monkeypatch) as hops:
        answers = [
            await ask("GET", "/nothing/"),
            await ask("GET", "/products/?limit=0"),
            await ask("GET", "/me/"),
            await ask("BREW", "/products/"),
            await ask("POST", "/auth/register/", {"email": "not an address"}),
        ]

    assert [answer.status for answer in answers] == [404, 422, 401, 405, 422]
    assert hops == []


async def test_each_write_takes_one_hop(monkeypatch):
    def people() -> tuple[str, str, str, str]:
        product, category = make_product(), make_category()
        make_variant(product=product)
        customer = make_customer(email="ada@example.com")
        staff = make_staff("catalog.add_brand", "catalog.change_category")
        return token_of(customer), token_of(staff), product.slug, str(category.pk)

    customer, staff, product, category = await threads.in_thread(people)
    address = {
        "name": "Ada",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    }
    writes = [
        ("POST", "/auth/register/", {"email": "bob@example.com", "password": PASSWORD}, ""),
        ("POST", "/auth/token/", {"email": "ada@example.com", "password": PASSWORD}, ""),
        ("PATCH", "/me/", {"name": "Ada"}, customer),
        ("POST", "/me/addresses/", address, customer),
        ("POST", f"/products/{product}/reviews/", {"rating": 5}, customer),
        ("POST", "/manage/brands/", {"name": "Barsik"}, staff),
        ("PATCH", f"/manage/categories/{category}/", {"name": "Dogs"}, staff),
    ]

    for method, path, body, token in writes:
        with counted_hops(monkeypatch) as hops:
            answer = await ask(method, path, body, token=token)

        assert answer.status in {200, 201}, (path, answer.body)
        assert hops == ["ThreadPoolExecutor.submit"], path


async def test_the_staffs_right_is_read_without_a_hop(monkeypatch):
    staff = await threads.in_thread(lambda: token_of(make_staff("catalog.view_brand")))
    await threads.in_thread(make_brand)

    with counted_hops(monkeypatch) as hops:
        answer = await ask("GET", "/manage/brands/", token=staff)

    assert (answer.status, hops) == (200, ["ThreadPoolExecutor.submit"])

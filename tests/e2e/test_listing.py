"""The listing follows the shop through RabbitMQ and Celery, also when a worker is killed."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Shop

STOCK = """
from lavka.catalog import services as catalog
from lavka.catalog.models import ProductType
from lavka.catalog.services import VariantValues
from lavka.kernel.money import Money
kind, _ = ProductType.objects.get_or_create(code='pots', name='Pots')
catalog.save_product(
    slug='pot', product_type=kind, name={name!r}, status='published',
    variants=[VariantValues(sku='POT', price=Money({price}, 'USD'))],
)
"""


@pytest.fixture(scope="module")
def shop(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("listing")
    with Shop(folder, broker=rabbitmq.variables, workers=1) as running:
        yield running


def save(shop: Shop, *, name: str, price: int) -> None:
    shop.manage("shell", "-c", STOCK.format(name=name, price=price))


def read(shop: Shop, path: str) -> dict:
    answer = httpx.get(f"{shop.base_url}/api/v1{path}", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_until(shop: Shop, shows: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not shows():
        assert time.monotonic() < deadline, shop.workers[0].tail()
        time.sleep(0.02)


def card(shop: Shop, query: str) -> tuple[str, int] | None:
    items = read(shop, f"/products/?{query}")["items"]
    return (items[0]["name"], items[0]["price"]["amount"]) if items else None


def test_a_change_shows_in_list_search_facets_and_page(shop: Shop):
    save(shop, name="Kettle", price=500)
    wait_until(shop, lambda: card(shop, "q=kettle") == ("Kettle", 500))

    save(shop, name="Samovar", price=900)

    wait_until(shop, lambda: card(shop, "sort=price") == ("Samovar", 900))
    wait_until(shop, lambda: card(shop, "q=samovar") == ("Samovar", 900))
    wait_until(shop, lambda: card(shop, "q=kettle") is None)
    facets = read(shop, "/products/facets/?q=samovar")
    price = next(each for each in facets["items"] if each["code"] == "price")
    assert (facets["total"], price["max"]) == (1, 900)
    assert read(shop, "/products/pot/")["name"] == "Samovar"


def test_a_killed_worker_loses_no_change(shop: Shop):
    save(shop, name="Kettle", price=500)
    wait_until(shop, lambda: card(shop, "sort=price") == ("Kettle", 500))
    shop.workers[0].kill()

    save(shop, name="Teapot", price=700)
    shop.workers[0].start()

    wait_until(shop, lambda: card(shop, "sort=price") == ("Teapot", 700))
    wait_until(shop, lambda: shop.query("SELECT count(*) FROM listing_staleproduct") == [(0,)])

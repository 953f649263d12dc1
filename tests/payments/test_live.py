"""A running shop: HTTP in, the sandbox's webhooks through relay and worker, and its books agree."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.shop import Shop

pytestmark = pytest.mark.timeout(240)  # the first test waits for the shop to start

MAKE_ORDER = """
from lavka.orders.tokens import key_of
from tests.payments.factories import order_of
order = order_of(1299)
print(order.pk, key_of(order.pk))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("live"), workers=1, web_workers=1) as running:
        yield running


class Order:
    """A guest's order in a running shop."""

    def __init__(self, shop: Shop) -> None:
        printed = shop.manage("shell", "--no-imports", "-c", MAKE_ORDER)
        self.id, key = printed.split()[-2:]
        self.shop = shop
        self.url = f"{shop.base_url}/api/v1/orders/{self.id}/payments/?key={key}"

    def pay(self, token: str) -> httpx.Response:
        body = {"payment": {"method": "sandbox", "token": token}}
        return httpx.post(self.url, json=body, headers={"Idempotency-Key": self.id}, timeout=30)

    def wait_for(self, status: str) -> dict[str, Any]:
        """The order's newest payment, once it has this status; fails after 30 seconds."""
        deadline = time.monotonic() + 30
        while True:
            payment: dict[str, Any] = httpx.get(self.url).json()["items"][0]
            if payment["status"] == status:
                return payment
            assert time.monotonic() < deadline, f"{payment}\n{self.shop.workers[0].tail()}"
            time.sleep(0.1)


def answer_bank(page: str, answer: str) -> httpx.Response:
    """Open the page of the sandbox's bank, and press one of its buttons."""
    with httpx.Client(follow_redirects=True) as browser:
        form = browser.get(page)
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token is not None, form.text
        return browser.post(page, data={"csrfmiddlewaretoken": token[1], "answer": answer})


@pytest.mark.parametrize(("answer", "status"), [("confirm", "captured"), ("refuse", "failed")])
def test_the_banks_word_reaches_the_payment_without_the_customer_coming_back(shop, answer, status):
    order = Order(shop)
    asked = order.pay("requires_action").json()

    decided = answer_bank(asked["action"]["url"], answer)
    payment = order.wait_for(status)

    assert decided.status_code == 200
    assert payment["id"] == asked["id"]


def test_an_answer_that_was_lost_comes_by_webhook(shop):
    order = Order(shop)

    answer = order.pay("timeout_after_charge")
    payment = order.wait_for("captured")

    assert answer.status_code == 201
    assert payment["captured"] == {"amount": 1299, "currency": "USD"}


def test_the_order_learns_what_was_paid_and_the_books_agree(shop):
    order = Order(shop)
    order.pay("duplicated_webhooks")
    order.wait_for("captured")
    shop.wait_until_quiet()

    kept = shop.query("SELECT payment_status FROM orders_order WHERE id = %s", order.id)
    printed = shop.manage("reconcile")

    assert kept == [("paid",)]
    assert printed.endswith("payments checked, 0 differ\n")

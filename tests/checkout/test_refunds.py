import uuid
from collections import Counter
from typing import Any

import pytest

from lavka.checkout import tasks
from lavka.fulfilment.models import ReturnRequest
from lavka.orders import tokens
from lavka.orders.models import Order, OrderLine
from tests.accounts.factories import make_staff, token_of
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.inventory.factories import counters, make_stock
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


class Staff:
    """Somebody who may move money."""

    def __init__(self) -> None:
        self.token = token_of(make_staff())

    def post(self, path: str, body: Any = None, key: str = ""):
        key = key or str(uuid.uuid4())
        return Api().post(f"/manage/{path}/", body, token=self.token, Idempotency_Key=key)


@pytest.fixture
def staff() -> Staff:
    return Staff()


@pytest.fixture
def order(api: Api) -> Order:
    """Three pieces of 12.99 with 20 % tax, 5.00 for shipping: 52.77 in all, paid."""
    placed = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out().json()["order"]
    return Order.objects.get(pk=placed["id"])


def pieces(order: Order, quantity: int) -> dict:
    return {"lines": [{"line_id": str(order.lines.get().pk), "quantity": quantity}]}


def test_all_of_it_goes_back(staff: Staff, order: Order):
    answer = staff.post(f"orders/{order.pk}/refund", {}).json()

    assert answer["payment"]["status"] == "refunded"
    assert answer["payment"]["refunded"]["amount"] == order.total_amount == 5276


def test_lines_go_back_piece_by_piece_and_add_up(staff: Staff, order: Order):
    refunded = [
        staff.post(f"orders/{order.pk}/refund", pieces(order, 1)).json()["payment"]["refunded"]
        for _ in range(3)
    ]
    refused = staff.post(f"orders/{order.pk}/refund", pieces(order, 1))

    # 3 × 12.99 and 7.79 tax: 46.76 for three pieces.
    assert [each["amount"] for each in refunded] == [1559, 3117, 4676]
    assert (refused.status_code, refused.json()["code"]) == (409, "more_than_left")


def test_what_cannot_be_paid_out_is_not_counted(staff: Staff, order: Order):
    staff.post(f"orders/{order.pk}/refund", {"amount": {"amount": 5000, "currency": "USD"}})

    answer = staff.post(f"orders/{order.pk}/refund", pieces(order, 1))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_refundable")
    assert answer.json()["details"]["available"] == 276
    assert OrderLine.objects.get().refunded_quantity == 0


def test_one_key_refunds_once(staff: Staff, order: Order):
    body = {"amount": {"amount": 1000, "currency": "USD"}}

    for _ in range(3):
        staff.post(f"orders/{order.pk}/refund", body, key="once")

    assert Order.objects.get().refunded_amount == 1000


def test_an_amount_and_lines_are_refused(staff: Staff, order: Order):
    body = pieces(order, 1) | {"amount": {"amount": 1, "currency": "USD"}}

    assert staff.post(f"orders/{order.pk}/refund", body).status_code == 422


def test_parallel_refunds_give_no_more_than_was_captured(staff: Staff, order: Order):
    body = {"amount": {"amount": 3000, "currency": "USD"}}

    answers = race(lambda: staff.post(f"orders/{order.pk}/refund", body).status_code, times=6)

    assert Counter(answers) == {200: 1, 409: 5}
    assert Order.objects.get().refunded_amount == 3000


def test_capture_against_cancel_leaves_no_money_behind(api: Api, staff: Staff, settings: Any):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    for _ in range(3):
        placed = Buyer(api, make_ready_cart()).check_out().json()["order"]
        assert placed["payment"]["status"] == "authorised"
        paths = [f"orders/{placed['id']}/capture", f"orders/{placed['id']}/cancel"]

        race(lambda paths=paths: staff.post(paths.pop(), {}).status_code, times=2)
        tasks.return_money(order_id=placed["id"])

        order = Order.objects.get(pk=placed["id"])
        assert order.status == "cancelled"
        assert order.captured_amount == order.refunded_amount
        assert order.authorised_amount == 0


def test_staff_capture_what_was_authorised(api: Api, staff: Staff, settings: Any):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    placed = Buyer(api, make_ready_cart()).check_out().json()["order"]

    first = staff.post(f"orders/{placed['id']}/capture")
    second = staff.post(f"orders/{placed['id']}/capture")

    assert first.json()["payment"]["status"] == "paid"
    assert (second.status_code, second.json()["code"]) == (409, "not_capturable")


def test_a_received_return_is_refunded_once(api: Api, staff: Staff, order: Order):
    staff.post(f"orders/{order.pk}/shipments", pieces(order, 3))
    asked = api.post(
        f"/orders/{order.pk}/returns/?key={tokens.key_of(order.pk)}",
        pieces(order, 2) | {"reason": "unwanted"},
        Idempotency_Key=str(uuid.uuid4()),
    ).json()["id"]
    early = staff.post(f"returns/{asked}/refund")
    staff.post(f"returns/{asked}/approve")
    staff.post(f"returns/{asked}/receive", {"restock": True})

    answers = [staff.post(f"returns/{asked}/refund").json()["status"] for _ in range(2)]

    assert early.json()["code"] == "return_in_the_wrong_state"
    assert answers == ["refunded", "refunded"]
    assert ReturnRequest.objects.get().status == "refunded"
    assert Order.objects.get().refunded_amount == 3117
    assert counters(order.lines.get().variant_id) == (9, 0)

import uuid
from typing import Any

import pytest

from lavka.checkout import tasks
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


@pytest.fixture
def order(api: Api) -> Order:
    """Three pieces of 12.99 with 20 % tax, 5.00 for shipping: 52.76 in all, paid."""
    placed = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out().json()["order"]
    return Order.objects.get(pk=placed["id"])


class Editor:
    """Somebody who may change orders."""

    def __init__(self) -> None:
        self.token = token_of(make_staff("orders.change_order"))

    def preview(self, order: Order, **wish: Any):
        return Api().post(f"/manage/orders/{order.pk}/edit/preview/", wish, token=self.token)

    def edit(self, order: Order, expected_total: int, **wish: Any):
        body = wish | {"expected_total": expected_total}
        return Api().post(f"/manage/orders/{order.pk}/edit/", body, token=self.token)


@pytest.fixture
def editor() -> Editor:
    return Editor()


def line(order: Order, quantity: int) -> list[dict]:
    return [{"line_id": str(order.lines.order_by("position").first().pk), "quantity": quantity}]


def test_a_preview_shows_the_money_and_changes_nothing(editor: Editor, order: Order):
    preview = editor.preview(order, lines=line(order, 2)).json()

    # 2 × 12.99, 5.20 tax on it, 5.00 + 1.00 for shipping.
    assert preview["before"]["total"]["amount"] == 5276
    assert preview["after"]["total"]["amount"] == 2598 + 520 + 600
    assert (preview["due"]["amount"], preview["surplus"]["amount"]) == (0, 5276 - 3718)
    assert Order.objects.get().total_amount == 5276
    assert OrderLine.objects.get().quantity == 3


def test_fewer_pieces_free_stock_and_what_was_paid_too_much_goes_back(editor: Editor, order: Order):
    variant = order.lines.get().variant_id

    answer = editor.edit(order, 3718, lines=line(order, 2))
    for _ in range(2):
        tasks.refund_surplus(order_id=str(order.pk))

    assert answer.json()["totals"]["total"]["amount"] == 3718
    assert answer.json()["lines"][0]["id"] == str(order.lines.get().pk)
    assert counters(variant) == (10, 2)
    order.refresh_from_db()
    assert (order.refunded_amount, order.captured_amount) == (5276 - 3718, 5276)
    kinds = [entry.kind for entry in order.history.all()]
    assert kinds[-2:] == ["edited", "refunded"]


def test_one_line_goes_and_another_comes(editor: Editor, order: Order):
    old, new = order.lines.get().variant_id, make_stock(4)
    wish = {"lines": line(order, 0), "add": [{"variant_id": str(new.pk), "quantity": 4}]}

    total = editor.preview(order, **wish).json()["after"]["total"]["amount"]
    answer = editor.edit(order, total, **wish)

    assert [(each["sku"], each["quantity"]) for each in answer.json()["lines"]] == [(new.sku, 4)]
    assert (counters(old), counters(new.pk)) == ((10, 0), (4, 4))
    order.refresh_from_db()
    # 4 × 12.99, 10.39 tax on it, 6.00 for shipping with its tax.
    assert order.total_amount == total == 5196 + 1039 + 600
    assert order.payment_status == "partially_paid"


def test_more_than_there_is_changes_nothing(editor: Editor, order: Order):
    total = editor.preview(order, lines=line(order, 11)).json()["after"]["total"]["amount"]

    answer = editor.edit(order, total, lines=line(order, 11))

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert OrderLine.objects.get().quantity == 3
    assert counters(order.lines.get().variant_id) == (10, 3)


def test_another_total_than_the_previews_is_told(editor: Editor, order: Order):
    answer = editor.edit(order, 3717, lines=line(order, 2))

    assert (answer.status_code, answer.json()["code"]) == (409, "edit_changed")
    assert answer.json()["details"]["total"]["amount"] == 3718
    assert Order.objects.get().total_amount == 5276


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"lines": "all"}, 409, "nothing_left"),
        ({"add": [{"variant_id": str(uuid.UUID(int=7)), "quantity": 1}]}, 422, "invalid"),
        ({"lines": [{"line_id": str(uuid.UUID(int=7)), "quantity": 1}]}, 404, "not_found"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(
    editor: Editor, order: Order, wish: dict, status: int, code: str
):
    if wish.get("lines") == "all":
        wish = {"lines": line(order, 0)}

    answer = editor.preview(order, **wish)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_was_shipped_or_cancelled_is_not_edited(editor: Editor, order: Order):
    token = token_of(make_staff())
    Api().post(f"/manage/orders/{order.pk}/shipments/", {"lines": line(order, 1)}, token=token)

    answer = editor.edit(order, 3718, lines=line(order, 2))

    assert answer.json()["code"] == "order_in_the_wrong_state"
    assert OrderLine.objects.get().quantity == 3


def test_parallel_edits_from_one_preview_are_done_once(editor: Editor, order: Order):
    new = make_stock(10)
    wish = {"add": [{"variant_id": str(new.pk), "quantity": 1}]}
    total = editor.preview(order, **wish).json()["after"]["total"]["amount"]

    answers = race(lambda: editor.edit(order, total, **wish).status_code, times=6)

    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert counters(new.pk) == (10, 1)


def test_no_more_is_captured_than_the_edited_total(api: Api, editor: Editor, settings: Any):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    placed = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out().json()["order"]
    order = Order.objects.get(pk=placed["id"])
    editor.edit(order, 3718, lines=line(order, 2))

    answer = api.post(
        f"/manage/orders/{order.pk}/capture/",
        token=token_of(make_staff()),
        Idempotency_Key=str(uuid.uuid4()),
    ).json()

    assert answer["payment"]["captured"]["amount"] == 3718
    assert answer["payment"]["status"] == "paid"

"""Documents follow what happens to an order; together they are what was paid."""

import uuid
from typing import Any

import pytest

from lavka.fulfilment.models import ReturnRequest
from lavka.invoices import tasks
from lavka.invoices.models import Invoice
from lavka.invoices.typesetting import pdf_of
from lavka.orders import tokens
from lavka.orders.models import Order
from tests.accounts.factories import make_staff, token_of
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import follow_events
from tests.inventory.factories import make_stock
from tests.invoices.test_printing import text_of

pytestmark = pytest.mark.django_db(transaction=True)


class Shop:
    """An order of three kettles and two lids, and what staff and its buyer do with it."""

    def __init__(self, api: Api, **how: str) -> None:
        self.api, self.staff = api, token_of(make_staff())
        cart = make_ready_cart(make_stock(9), make_stock(9), quantity=3)
        answer = Buyer(api, cart).check_out(**how)
        self.order = Order.objects.get(pk=answer.json()["order"]["id"])
        self.first, self.second = self.order.lines.order_by("position")
        follow_events()

    def do(self, path: str, body: Any = None) -> Any:
        answer = self.api.post(path, body, token=self.staff, Idempotency_Key=f"key-{uuid.uuid4()}")
        assert answer.status_code in {200, 201}, answer.content
        follow_events()
        return answer.json()

    def on_order(self, step: str, body: Any = None) -> Any:
        return self.do(f"/manage/orders/{self.order.pk}/{step}/", body)

    def refund(self, amount: int) -> None:
        self.on_order("refund", {"amount": {"amount": amount, "currency": "USD"}})

    def pieces(self, count: int) -> dict[str, Any]:
        return {"lines": [{"line_id": str(self.first.pk), "quantity": count}]}

    def edit(self, change: dict[str, Any]) -> None:
        preview = self.api.post(
            f"/manage/orders/{self.order.pk}/edit/preview/", change, token=self.staff
        ).json()
        total = preview["after"]["total"]["amount"]
        self.on_order("edit", change | {"expected_total": total})

    def pay(self) -> None:
        """What is still owed, in the sandbox."""
        answer = self.api.post(
            f"/orders/{self.order.pk}/payments/?key={tokens.key_of(self.order.pk)}",
            {"payment": {"method": "sandbox", "token": "success"}},
            Idempotency_Key=f"key-{uuid.uuid4()}",
        )
        assert answer.status_code in {200, 201}, answer.content
        follow_events()

    def documents(self) -> list[tuple[str, str, int]]:
        found = Invoice.objects.filter(order=self.order).order_by("id")
        return [(each.kind, each.cause, each.total_amount) for each in found]

    def balance(self) -> int:
        return sum(
            amount if kind == "invoice" else -amount for kind, _cause, amount in self.documents()
        )

    def paid(self) -> int:
        self.order.refresh_from_db()
        return self.order.captured_amount - self.order.refunded_amount


def test_a_sale_is_invoiced_when_it_is_placed(api: Api):
    shop = Shop(api)

    assert shop.documents() == [("invoice", "sale", shop.order.total_amount)]
    assert shop.balance() == shop.paid()
    content = Invoice.objects.get().content
    assert [rate["percent"] for rate in content["rates"]] == ["20"]
    assert content["paid_on"] is not None


def test_refunds_by_line_by_amount_and_by_return_are_credited(api: Api):
    shop = Shop(api)
    invoice = Invoice.objects.get()

    shop.on_order("refund", shop.pieces(1))
    shop.refund(777)
    shop.on_order("shipments", shop.pieces(2))
    api.post(
        f"/orders/{shop.order.pk}/returns/?key={tokens.key_of(shop.order.pk)}",
        shop.pieces(1) | {"reason": "damaged"},
        Idempotency_Key=f"key-{uuid.uuid4()}",
    )
    back = f"/manage/returns/{ReturnRequest.objects.get().pk}"
    shop.do(f"{back}/approve/")
    shop.do(f"{back}/receive/", {"restock": True})
    shop.do(f"{back}/refund/")

    one = 1299 + 260
    assert [(cause, amount) for _kind, cause, amount in shop.documents()[1:]] == [
        ("refund", one),
        ("refund", 777),
        ("return", shop.order.total_amount - shop.paid() - one - 777),
    ]
    assert shop.balance() == shop.paid()
    credits = Invoice.objects.filter(kind="credit_note")
    assert {each.credited for each in credits} == {invoice}
    by_line = credits.order_by("id").first()
    assert by_line.content["rows"][0]["line_id"] == str(shop.first.pk)
    printed = text_of(pdf_of(by_line))
    assert "Credit note № CN-000001" in printed
    assert "Corrects invoice № INV-000001" in printed
    assert "Total credited 15.59 USD" in printed


def test_the_rest_of_an_order_is_credited_to_the_last_unit(api: Api):
    shop = Shop(api)

    for _ in range(3):
        shop.on_order("refund", shop.pieces(1))
    shop.refund(1)
    shop.on_order("refund", {})

    assert shop.balance() == shop.paid() == 0
    taxes = Invoice.objects.values_list("kind", "tax_amount")
    assert sum(tax if kind == "invoice" else -tax for kind, tax in taxes) == 0


def test_a_cancelled_order_is_credited_whole(api: Api):
    shop = Shop(api)

    shop.refund(500)
    shop.on_order("cancel", {"reason": "Twice."})

    assert [cause for _kind, cause, _amount in shop.documents()] == [
        "sale", "refund", "cancellation",
    ]  # fmt: skip
    assert shop.balance() == shop.paid() == 0


def test_an_order_that_was_never_paid_is_credited_when_it_is_cancelled(api: Api):
    shop = Shop(api, method="invoice")

    shop.on_order("cancel", {})

    assert shop.balance() == shop.paid() == 0
    assert len(shop.documents()) == 2


def test_an_edit_after_the_invoice_is_documented_either_way(api: Api):
    shop = Shop(api)

    shop.edit({"lines": [{"line_id": str(shop.second.pk), "quantity": 1}]})
    assert [kind for kind, _cause, _amount in shop.documents()] == ["invoice", "credit_note"]
    assert shop.balance() == shop.paid()

    shop.edit({"add": [{"variant_id": str(make_stock(5).pk), "quantity": 1}]})
    assert [cause for _kind, cause, _amount in shop.documents()] == ["sale", "edit", "edit"]
    due = shop.balance() - shop.paid()
    shop.pay()

    assert due > 0
    assert shop.balance() == shop.paid()


def test_an_edit_after_a_refund_comes_to_what_was_paid(api: Api):
    shop = Shop(api)

    shop.refund(3000)
    shop.edit({"lines": [{"line_id": str(shop.second.pk), "quantity": 2}]})

    assert shop.balance() == shop.paid()


def test_events_that_come_late_or_twice_change_nothing(api: Api):
    shop = Shop(api)
    shop.on_order("refund", shop.pieces(1))
    before = shop.documents()

    for _ in range(2):
        tasks.issue(order_id=str(shop.order.pk), event_id=str(uuid.uuid4()), newer="field")

    assert shop.documents() == before


def test_a_draft_has_no_invoice_and_neither_what_was_cancelled_at_once(api: Api):
    cart = make_ready_cart(make_stock(9))
    order = Buyer(api, cart).check_out(means="requires_action").json()["order"]["id"]
    staff = token_of(make_staff())
    other = Buyer(api, make_ready_cart(make_stock(9))).check_out().json()["order"]["id"]
    api.post(f"/manage/orders/{other}/cancel/", {}, token=staff)
    follow_events()

    # Both events of the other order are followed after its cancellation.
    assert Invoice.objects.count() == 0
    assert api.get(f"/manage/orders/{other}/invoice/", token=staff).status_code == 404
    assert Order.objects.get(pk=order).status == "draft"

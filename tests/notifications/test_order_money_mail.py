"""Mail about cancellations, refunds and returns: once for each happening, in the buyer's words."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from lavka.checkout import tasks as checkout
from lavka.fulfilment.models import ReturnRequest
from lavka.kernel import events
from lavka.notifications import tasks
from lavka.orders import tokens
from lavka.orders.models import Order
from lavka.payments import flows as payments
from tests.accounts.factories import make_staff, token_of
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.fulfilment.test_fulfilment import ask_back
from tests.fulfilment.test_fulfilment import pieces as some_of
from tests.happening import follow_events
from tests.inventory.factories import make_stock
from tests.notifications.test_mail import html_of
from tests.payments.factories import make_captured, make_payment, order_of, run

pytestmark = pytest.mark.django_db

SHOP = "http://127.0.0.1:8000"


class Staff:
    """Somebody who cancels, refunds and decides over the API."""

    def __init__(self) -> None:
        self.token = token_of(make_staff())

    def post(self, path: str, body: Any = None, status: int = 200) -> None:
        key = str(uuid.uuid4())
        answer = Api().post(f"/manage/{path}/", body, token=self.token, Idempotency_Key=key)
        assert answer.status_code == status, answer.content


@pytest.fixture
def staff() -> Staff:
    return Staff()


def bought(api: Api, *, language: str = "en", **payment: str) -> Order:
    """Three pieces of 12.99 with 20 % tax, 5.00 for shipping: 52.76 in all."""
    answer = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out(**payment)
    Order.objects.filter(pk=answer.json()["order"]["id"]).update(language=language)
    return Order.objects.get(pk=answer.json()["order"]["id"])


def mails() -> list:
    """What is mailed because of everything so far, without the confirmation of the order."""
    follow_events()
    known = [(each, each.extra_headers["Message-ID"]) for each in mail.outbox]
    return [each for each, name in known if ".order_placed@" not in name]


def test_one_mail_tells_of_a_cancellation_and_of_the_money(api, staff):
    order = bought(api)

    staff.post(f"orders/{order.pk}/cancel", {"reason": "Fraud, says the chief"})
    (message,) = mails()

    order.refresh_from_db()
    assert (order.status, order.refunded_amount) == ("cancelled", order.total_amount)
    assert message.subject == f"Your order № {order.number} is cancelled"
    why, lines, money, _, link = message.body.strip().split("\n\n")
    assert why == "Lavka has cancelled your order. None of this will be sent:"
    assert lines.startswith("3 × ")
    assert money.startswith("The 52.76 USD that you paid goes back the way you paid")
    assert link.startswith(f"{SHOP}/orders/{order.pk}?key=")
    assert f'href="{link}"' in html_of(message)
    assert "chief" not in message.body + html_of(message)


def test_a_cancellation_says_what_was_refunded_before(api, staff):
    order = bought(api)
    amount = {"amount": 1276, "currency": "USD"}
    staff.post(f"orders/{order.pk}/refund", {"amount": amount})
    assert len(mails()) == 1

    api.post(
        f"/orders/{order.pk}/cancel/?key={tokens.key_of(order.pk)}",
        Idempotency_Key=str(uuid.uuid4()),
    )
    _, cancelled = mails()

    assert "cancelled, at your request, made on its page or in your account" in cancelled.body
    assert "Of 52.76 USD that you paid, 12.76 USD was refunded before." in cancelled.body
    assert "The remaining 40.00 USD goes back" in cancelled.body


def test_a_cancellation_tells_in_the_language_of_the_order(api, staff):
    order = bought(api, language="ru")

    staff.post(f"orders/{order.pk}/cancel", {})
    (message,) = mails()

    assert message.subject == f"Заказ № {order.number} отменён"
    assert "Оплаченные 52,76 USD вернутся тем же путём" in message.body
    assert '<html lang="ru">' in html_of(message)


def test_an_order_that_nobody_paid_in_time_is_cancelled_with_a_mail(api):
    order = bought(api, method="invoice", means="")
    Order.objects.update(payment_due_at=timezone.now() - timedelta(minutes=1))

    checkout.cancel_unpaid()
    (message,) = mails()

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert "cancelled your order, because it was not paid in time" in message.body
    assert "Nothing was paid, so there is nothing to give back." in message.body
    assert "reserved" not in message.body


def test_what_was_only_reserved_is_released(staff, settings):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    order = order_of(10_000)
    payment = make_payment(10_000, order_id=order.pk)
    run(payments.authorise, payment_id=payment.pk)

    staff.post(f"orders/{order.pk}/cancel", {})
    (message,) = mails()

    assert "The 100.00 USD that was reserved for it will not be charged" in message.body
    assert "paid" not in message.body


def test_money_that_comes_after_the_cancellation_is_told_when_it_goes_back(staff):
    order = order_of(10_000)
    staff.post(f"orders/{order.pk}/cancel", {})
    assert "Nothing was paid" in mails()[0].body

    late = make_captured(10_000, order_id=order.pk)
    run(payments.refund, payment_id=late.pk, amount=None, key="late")

    assert "Lavka is giving 100.00 USD back" in mails()[1].body


def test_a_refund_by_amount_says_how_much_and_how_much_in_all(api, staff):
    order = bought(api)

    for minor_units in (1000, 276):
        amount = {"amount": minor_units, "currency": "USD"}
        staff.post(f"orders/{order.pk}/refund", {"amount": amount})
        follow_events()
    first, second = mails()

    assert first.subject == f"Money back for your order № {order.number}"
    assert "Lavka is giving 10.00 USD back. Of 52.76 USD that you paid, 10.00 USD" in first.body
    assert "Lavka is giving 2.76 USD back. Of 52.76 USD that you paid, 12.76 USD" in second.body


def test_a_refund_of_pieces_names_them(api, staff):
    order = bought(api)
    line = order.lines.get()
    line.selected_options = [{"code": "color", "name": "Color", "value": "red", "label": "Red"}]
    line.save(update_fields=["selected_options"])

    staff.post(f"orders/{order.pk}/refund", {"lines": some_of(order, 2)})
    (message,) = mails()

    assert f"back for:\n\n2 × {line.name} (Color: Red)\n\nOf 52.76 USD" in message.body


def test_one_mail_tells_of_a_refund_over_two_payments(staff):
    order = order_of(10_000)
    for _ in range(2):
        make_captured(5000, order_id=order.pk)

    staff.post(f"orders/{order.pk}/refund", {"amount": {"amount": 7000, "currency": "USD"}})
    (message,) = mails()

    assert "Lavka is giving 70.00 USD back. Of 100.00 USD that you paid, 70.00" in message.body


def test_a_purchase_that_became_no_order_has_neither_number_nor_link():
    order = order_of(1000)
    payment = make_captured(1000, order_id=order.pk)
    Order.objects.filter(pk=order.pk).update(status="draft", number=None, placed_at=None)
    run(payments.refund, payment_id=payment.pk, amount=None, key="one")

    (message,) = mails()

    assert message.subject == "Your payment is given back"
    assert "did not become an order" in message.body
    assert "None" not in message.body + html_of(message)
    assert "/orders/" not in message.body + html_of(message)


@pytest.mark.parametrize(
    ("steps", "subjects"),
    [
        (["refuse"], ["Your return for order № {} is refused"]),
        (
            ["approve", "receive", "refund"],
            [
                "Your return for order № {} is approved",
                "Your return for order № {} has come",
                "Money back for your order № {}",
            ],
        ),
    ],
)
def test_each_decision_on_a_return_is_mailed_however_late(api, staff, steps, subjects):
    order = bought(api)
    staff.post(f"orders/{order.pk}/shipments", {"lines": some_of(order, 3)}, 201)
    returned = ask_back(api, order, 2).json()["id"]
    shipped = len(mails())

    for step in steps:
        staff.post(f"returns/{returned}/{step}", {"restock": True} if step == "receive" else None)
    messages = mails()[shipped:]

    assert [each.subject for each in messages] == [each.format(order.number) for each in subjects]
    for message in messages:
        assert f"2 × {order.lines.get().name}" in message.body
        assert f"{SHOP}/orders/{order.pk}?key=" in message.body


def test_each_happening_is_mailed_once_however_often_its_task_runs(api, staff):
    order = bought(api)
    staff.post(f"orders/{order.pk}/cancel", {})

    for event in follow_events():
        for task in events.handlers_of(event.name):
            if task.name.startswith("notifications."):
                task(**event.payload, event_id=str(event.event_id))

    assert len(mails()) == 1


def test_what_is_gone_or_not_cancelled_gets_no_mail():
    order, nobody = order_of(1000), str(uuid.uuid4())

    tasks.send_order_cancelled(event_id=nobody, order_id=str(order.pk))
    tasks.send_order_cancelled(event_id=nobody, order_id=nobody)
    tasks.send_order_refunded(event_id=nobody, order_id=nobody, operation_id=nobody)
    tasks.send_return_changed(event_id=nobody, order_id=nobody, return_id=nobody, status="approved")

    assert mail.outbox == []
    assert not ReturnRequest.objects.exists()

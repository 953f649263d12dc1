"""Orders that are placed before they are paid: how many may wait, and that they do not for ever."""

import datetime
import threading
import uuid
from typing import Any

import pytest
from django.utils import timezone

from lavka.checkout import flows, services, tasks
from lavka.checkout.models import UnpaidOrder
from lavka.checkout.services import pay_later
from lavka.inventory import services as inventory
from lavka.inventory.models import ReservationUsage
from lavka.kernel.actors import Actor
from lavka.kernel.models import OutboxEvent
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.orders.services import EditWish
from lavka.payments import services as payments
from lavka.payments.errors import NotCapturable
from lavka.payments.gateways.protocol import Approved
from lavka.payments.models import Payment
from lavka.payments.rules import PaymentInput
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.checkout.factories import (
    INVOICE,
    Buyer,
    count_of,
    make_cart_for,
    make_ready_cart,
    order_by_invoice,
)
from tests.client import Api
from tests.inventory.factories import counters, make_stock
from tests.payments.factories import run
from tests.racing import race_each

pytestmark = pytest.mark.django_db(transaction=True)

JOB = Actor.system("test")


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def be_overdue(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(payment_due_at=timezone.now())


@pytest.mark.parametrize("method", ["invoice", "cash_on_delivery"])
def test_what_is_paid_later_is_to_be_paid_in_time(api: Api, method: str):
    variant = make_stock(50)
    answer = Buyer(api, make_ready_cart(variant)).check_out(method=method, means="").json()

    due_at = datetime.datetime.fromisoformat(answer["order"]["payment_due_at"])
    days = due_at - timezone.now()
    assert datetime.timedelta(days=13) < days <= datetime.timedelta(days=14)
    assert counters(variant.pk) == (50, 1)


def test_an_order_that_is_paid_at_once_has_no_deadline(api: Api):
    answer = Buyer(api, make_ready_cart()).check_out().json()

    assert answer["order"]["payment_due_at"] is None
    assert not UnpaidOrder.objects.exists()


def test_a_strangers_mailbox_is_ordered_to_so_often_however_it_is_spelled():
    spellings = [
        "ada@example.com",
        "Ada+1@Example.com",
        "ada+lovelace@example.com",
        "ada+2@example.com",
    ]

    outcomes = [
        order_by_invoice(email, address=f"203.0.113.{n}") for n, email in enumerate(spellings)
    ]

    assert [type(each) for each in outcomes] == [Order, Order, Order, type]
    assert Order.objects.count() == UnpaidOrder.objects.count() == 3
    assert isinstance(order_by_invoice("grace@example.com"), Order)


def test_one_address_orders_so_often_whoever_gets_it():
    outcomes = [order_by_invoice(f"someone{n}@example.com") for n in range(21)]

    assert count_of(outcomes) == 10
    assert isinstance(order_by_invoice("else@example.com", address="203.0.113.8"), Order)


def test_the_addresses_of_one_subscriber_are_one(api: Api, settings: Any):
    settings.LAVKA = settings.LAVKA | {"UNPAID_ORDERS": {"address": 1}}
    addresses = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]

    answers = []
    for number, address in enumerate(addresses):
        api.client.defaults["REMOTE_ADDR"] = address
        buyer = Buyer(api, make_cart_for(f"someone{number}@example.com"))
        answers.append(buyer.check_out(method="invoice", means="").status_code)

    assert answers == [201, 409, 201]


def test_a_draft_that_is_paid_by_card_after_all_owes_nothing():
    cart = make_cart_for("ada@example.com")
    buyer, now = services.Buyer(id=None, language="en", address="203.0.113.7"), timezone.now()
    quote = services.create_quote(cart_id=cart.pk, buyer=buyer, at=now)
    this = {"cart_id": cart.pk, "quote_id": quote.pk, "buyer": buyer}
    services.prepare(**this, means=INVOICE, at=now)

    order = run(flows.buy, **this, means=PaymentInput(method="sandbox", token="success"))

    assert (order.status, UnpaidOrder.objects.count()) == ("placed", 0)


def test_a_refusal_is_clear_and_leaves_nothing_behind(api: Api):
    variant = make_stock(50)
    for _ in range(3):
        order_by_invoice("ada@example.com")
    buyer = Buyer(api, make_cart_for("ada@example.com", variant))

    refused = buyer.check_out(method="invoice", means="")
    by_card = buyer.check_out()

    assert (refused.status_code, refused.json()["code"]) == (409, "pay_later_refused")
    assert "3" not in refused.json()["detail"]
    assert by_card.json()["order"]["status"] == "placed"
    assert counters(variant.pk) == (50, 1)


def test_a_customer_who_has_proved_their_address_orders_more():
    ada = make_customer(email="ada@example.com", email_verified_at=timezone.now())
    stranger = make_customer(email="grace@example.com")

    adas = [order_by_invoice("ada@example.com", owner=ada) for _ in range(11)]
    graces = [order_by_invoice("grace@example.com", owner=stranger) for _ in range(5)]
    in_adas_name = [order_by_invoice("ada@example.com", owner=stranger) for _ in range(5)]

    assert (count_of(adas), count_of(graces), count_of(in_adas_name)) == (11, 3, 0)


def test_what_was_paid_sent_or_cancelled_makes_room():
    paid, sent, cancelled = (order_by_invoice("ada@example.com") for _ in range(3))
    assert count_of([order_by_invoice("ada@example.com")]) == 0

    run(flows.capture, order_id=paid.pk, actor=JOB)
    lines = {line.pk: line.quantity for line in sent.lines.all()}
    orders.fulfil_lines(order_id=sent.pk, quantities=lines, actor=JOB, at=timezone.now())
    orders.cancel_order(order_id=cancelled.pk, actor=JOB, at=timezone.now())

    assert count_of([order_by_invoice("ada@example.com") for _ in range(4)]) == 3
    for order in (paid, sent, cancelled):
        tasks.forget_unpaid(order_id=str(order.pk))
    assert not UnpaidOrder.objects.filter(order__in=[paid.pk, sent.pk]).exists()
    assert not ReservationUsage.objects.filter(holder=cancelled.cart_id).exists()


def test_a_stranger_does_not_take_the_stock_by_orders_that_nobody_pays():
    variant = make_stock(50)

    outcomes = [order_by_invoice(f"someone{n}@example.com", variant, quantity=4) for n in range(9)]

    assert count_of(outcomes) == 2
    assert counters(variant.pk) == (50, 8)
    assert isinstance(order_by_invoice("x@example.com", variant, address="203.0.113.8"), Order)


def test_units_of_an_unpaid_order_count_until_it_is_paid():
    variant = make_stock(50)
    order = order_by_invoice("ada@example.com", variant, quantity=10)
    inventory.purge_usage(at=timezone.now() + datetime.timedelta(days=13))
    assert count_of([order_by_invoice("grace@example.com", variant)]) == 0

    run(flows.capture, order_id=order.pk, actor=JOB)
    tasks.forget_unpaid(order_id=str(order.pk))

    assert not ReservationUsage.objects.exists()
    assert count_of([order_by_invoice("grace@example.com", variant)]) == 1


def test_a_guest_whose_card_took_long_may_still_order_by_invoice(api: Api):
    variant = make_stock(50)
    buyer = Buyer(api, make_ready_cart(variant, quantity=2))
    buyer.check_out(means="requires_action")
    later = timezone.now() + datetime.timedelta(minutes=5)
    inventory.release_expired(at=later, limit=10)
    ReservationUsage.objects.update(ends_at=timezone.now())

    order = buyer.check_out(method="invoice", means="").json()["order"]

    assert (order["status"], counters(variant.pk)) == ("placed", (50, 2))


def test_an_order_that_nobody_paid_is_cancelled_and_gives_its_stock_back():
    variant = make_stock(50)
    order, waiting = (order_by_invoice("ada@example.com", variant) for _ in range(2))
    be_overdue(order)

    cancelled = [tasks.cancel_unpaid(), tasks.cancel_unpaid()]

    order.refresh_from_db()
    waiting.refresh_from_db()
    assert (cancelled, order.status, waiting.status) == ([1, 0], "cancelled", "placed")
    assert counters(variant.pk) == (50, 1)
    entry = order.history.get(kind="cancelled")
    assert (entry.actor_kind, entry.details["reason"]) == ("system", "payment overdue")
    assert (order.authorised_amount, order.payments.get().status) == (0, "voided")
    assert OutboxEvent.objects.filter(name="orders.order_cancelled").count() == 1


def test_an_order_that_was_edited_gives_all_its_stock_back():
    variant = make_stock(50)
    order = order_by_invoice("ada@example.com", variant, quantity=2)
    wish = EditWish(quantities={order.lines.get().pk: 7})
    total = orders.preview_edit(order_id=order.pk, wish=wish, at=timezone.now()).content.total
    orders.edit_order(
        order_id=order.pk, wish=wish, expected_total=total, actor=JOB, at=timezone.now()
    )
    assert counters(variant.pk) == (50, 7)
    be_overdue(order)

    assert tasks.cancel_unpaid() == 1
    assert counters(variant.pk) == (50, 0)


@pytest.mark.parametrize("how", ["paid", "partly paid", "sent", "free"])
def test_an_order_on_which_something_happened_is_not_cancelled(how: str):
    order = order_by_invoice("ada@example.com", make_stock(50), quantity=2)
    if how == "sent":
        lines = {line.pk: 1 for line in order.lines.all()}
        orders.fulfil_lines(order_id=order.pk, quantities=lines, actor=JOB, at=timezone.now())
    elif how == "free":
        parts = ["subtotal", "discount", "shipping", "shipping_tax", "tax", "total"]
        nothing = {f"{part}_amount": 0 for part in parts}
        Order.objects.filter(pk=order.pk).update(**nothing)
    else:
        amount = order.money(order.total_amount if how == "paid" else 1)
        payment_id = order.payments.get().pk
        run(flows.payments.capture, payment_id=payment_id, amount=amount, actor=JOB)
    be_overdue(order)

    assert tasks.cancel_unpaid() == 0
    order.refresh_from_db()
    assert order.status != "cancelled"


def test_a_shop_may_let_orders_wait_for_ever(settings: Any):
    settings.LAVKA = settings.LAVKA | {
        "UNPAID_ORDERS_KEPT_DAYS": 0,
        "UNPAID_ORDERS": {"stranger": 0},
    }

    placed = [order_by_invoice("ada@example.com") for _ in range(5)]

    assert {order.payment_due_at for order in placed} == {None}


def test_staff_see_and_move_the_deadline(api: Api):
    order = order_by_invoice("ada@example.com")
    staff = token_of(make_staff("orders.view_order", "orders.change_order"))
    path = f"/manage/orders/{order.pk}/payment-due/"
    later = "2999-01-01T00:00:00.000Z"

    moved = api.put(path, {"payment_due_at": later}, token=staff).json()
    past = api.put(path, {"payment_due_at": "2020-01-01T00:00:00Z"}, token=staff)
    exempt = api.put(path, {"payment_due_at": None}, token=staff).json()
    orders.cancel_order(order_id=order.pk, actor=JOB, at=timezone.now())
    cancelled = api.put(path, {"payment_due_at": later}, token=staff)

    assert (moved["payment_due_at"], exempt["payment_due_at"]) == (later, None)
    assert [each["kind"] for each in exempt["history"]][-2:] == ["payment_due", "payment_due"]
    assert (past.status_code, past.json()["errors"][0]["code"]) == (422, "in_the_past")
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "order_in_the_wrong_state")


def test_who_may_not_moves_no_deadline(api: Api):
    order = order_by_invoice("ada@example.com")
    path, body = f"/manage/orders/{order.pk}/payment-due/", {"payment_due_at": None}

    answers = [
        api.put(path, body).status_code,
        api.put(path, body, token=token_of(make_customer())).status_code,
        api.put(path, body, token=token_of(make_staff("orders.view_order"))).status_code,
    ]

    assert answers == [401, 403, 403]


def begin_capture(order: Order) -> uuid.UUID:
    """Staff say that the money is there; the answer of the gateway is not written down yet."""
    operation, _ = payments.begin_capture(
        payment_id=order.payments.get().pk, amount=None, key="", actor=JOB, at=timezone.now()
    )
    return operation.pk


def test_a_payment_that_is_just_arriving_keeps_its_order():
    order = order_by_invoice("ada@example.com")
    be_overdue(order)
    operation_id = begin_capture(order)

    held = services.cancel_unpaid(order_id=order.pk, actor=JOB, at=timezone.now())
    payments.record_answer(operation_id=operation_id, answer=Approved("x"), at=timezone.now())

    order.refresh_from_db()
    assert (held, order.status, order.payment_status) == (None, "placed", "paid")


def test_control_a_payment_that_nobody_looks_at_is_taken_for_a_cancelled_order(monkeypatch):
    monkeypatch.setattr(pay_later.payments, "is_being_captured", lambda **_: False)
    order = order_by_invoice("ada@example.com")
    be_overdue(order)
    operation_id = begin_capture(order)

    services.cancel_unpaid(order_id=order.pk, actor=JOB, at=timezone.now())
    payments.record_answer(operation_id=operation_id, answer=Approved("x"), at=timezone.now())

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "paid")


def test_a_payment_that_comes_after_the_cancellation_is_not_taken():
    order = order_by_invoice("ada@example.com")
    be_overdue(order)
    services.cancel_unpaid(order_id=order.pk, actor=JOB, at=timezone.now())

    with pytest.raises(NotCapturable):
        begin_capture(order)

    assert Payment.objects.get().captured == 0


@pytest.mark.parametrize("number", range(3))
def test_a_payment_and_the_deadline_at_once_leave_one_of_both(number: int):
    order = order_by_invoice("ada@example.com")
    be_overdue(order)

    race_each(
        *[lambda: run(flows.capture, order_id=order.pk, actor=JOB)] * 2,
        *[lambda: services.cancel_unpaid(order_id=order.pk, actor=JOB, at=timezone.now())] * 2,
    )

    order.refresh_from_db()
    assert (order.status, order.payment_status) in {
        ("placed", "paid"),
        ("cancelled", "authorised"),
    }


def race_for_one_mailbox() -> int:
    """How many of eight carts for one mailbox become orders at once."""
    carts = [make_cart_for("ada@example.com") for _ in range(8)]
    buyer = services.Buyer(id=None, language="en", address="203.0.113.7")
    now = timezone.now()
    quotes = {
        each.pk: services.create_quote(cart_id=each.pk, buyer=buyer, at=now).pk for each in carts
    }

    def prepare(cart_id: uuid.UUID, quote_id: uuid.UUID) -> None:
        services.prepare(cart_id=cart_id, quote_id=quote_id, buyer=buyer, means=INVOICE, at=now)

    race_each(*[lambda each=each: prepare(*each) for each in quotes.items()])
    return UnpaidOrder.objects.count()


def test_orders_at_once_stay_within_the_budget():
    assert race_for_one_mailbox() == 3


def test_control_orders_at_once_exceed_a_budget_that_nobody_locks(monkeypatch):
    """Instead of taking turns, all count before anybody goes on."""
    meeting, count = threading.Barrier(8), pay_later.count_waiting

    def count_together(*given: Any) -> tuple[int, int]:
        counted = count(*given)
        meeting.wait(timeout=60)
        return counted

    monkeypatch.setattr(pay_later, "lock_budgets", lambda _debtor: None)
    monkeypatch.setattr(pay_later, "count_waiting", count_together)

    assert race_for_one_mailbox() == 8

"""The page of an order: what its buyer needs, for nobody but who has the key."""

import datetime
import re

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from lavka.fulfilment import services as fulfilment
from lavka.kernel.actors import ActorKind
from lavka.kernel.money import Money
from lavka.orders import links, tokens
from lavka.orders.models import Order
from lavka.orders.rules import EventKind
from lavka.payments import flows as payments
from tests.accounts.factories import make_customer
from tests.client import Api
from tests.happening import SYSTEM
from tests.orders.factories import ADDRESS, make_draft, make_line, make_order, make_stocked_order
from tests.payments.factories import make_captured, run
from tests.storefront.forms import Page, path_of, send

pytestmark = pytest.mark.django_db


def path_to(order: Order) -> str:
    return path_of(links.link_to(order))


def test_a_buyer_sees_what_was_bought_and_where_it_goes(browser: Client):
    order = make_order(
        make_line(name="<b>Kettle</b>", unit_price=129_900, quantity=2, tax=26_000),
        make_line(name="Lid", selected_options=[], unit_price=100, quantity=1, tax=0),
        billing_address=ADDRESS | {"name": "Charles Babbage"},
    )

    page = Page(browser.get(path_to(order)))

    for words in (
        f"Order № {order.number}",
        "placed",
        "unpaid",
        "2 × <b>Kettle</b> (Color: Red) 1,299.00 USD 2,598.00 USD",
        "1 × Lid 1.00 USD",
        "Goods 2,599.00 USD",
        "Shipping 5.00 USD",
        "Tax 261.00 USD",
        "Total 2,865.00 USD",
        "Still to be paid 2,865.00 USD",
        "Delivery to Ada Lovelace 12 St James's Square",
        "Standard",
        "Invoice to Charles Babbage",
        "ada@example.com",
    ):
        assert words in page.text
    assert "Refunded" not in page.text


def test_a_buyer_sees_until_when_to_pay_while_there_is_something_to_pay(browser: Client):
    order = make_order(language="ru")
    due_at = datetime.datetime(2027, 3, 2, 22, 30, tzinfo=datetime.UTC)
    row = Order.objects.filter(pk=order.pk)
    row.update(payment_due_at=due_at)

    waiting = Page(browser.get(path_to(order)))
    row.update(captured_amount=F("total_amount"))
    paid = Page(browser.get(path_to(order)))
    row.update(captured_amount=0, status="cancelled", cancelled_at=timezone.now())
    cancelled = Page(browser.get(path_to(order)))

    assert "Payment due by March 2, 2027, 10:30 p.m." in waiting.text
    for page in (paid, cancelled):
        assert "Payment due by" not in page.text


def test_a_buyer_sees_pictures_of_what_was_bought(browser: Client):
    picture = {"file": "a/b.jpg", "alt": 'A "red" kettle', "width": 900, "height": 900}
    small = picture | {"thumbnails": {"160": "a/b-160.webp", "480": "a/b-480.webp"}}
    order = make_order(
        make_line(image=small), make_line(image=picture | {"thumbnails": {}}), make_line()
    )

    html = browser.get(path_to(order)).content.decode()

    shown = re.findall(
        r'<img class="thumbnail" src="([^"]+)" alt="A &quot;red&quot; kettle">', html
    )
    assert [path.rpartition("/a/")[2] for path in shown] == ["b-160.webp", "b.jpg"]
    assert html.count("<img") == 2


def test_a_buyer_sees_parcels_and_returns(browser: Client):
    order = make_stocked_order(2)
    line = order.lines.get()
    parcel = fulfilment.Parcel(
        quantities={line.pk: 2},
        carrier="Royal Mail",
        tracking_number="AB1",
        tracking_url="https://carrier.example/AB1",
    )
    at = timezone.now()
    sent = fulfilment.send_shipment(order_id=order.pk, parcel=parcel, actor=SYSTEM, at=at)
    on_its_way = Page(browser.get(path_to(order)))
    fulfilment.mark_delivered(shipment_id=sent.pk, actor=SYSTEM, at=at)
    Api().post(
        f"/orders/{order.pk}/returns/?key={tokens.key_of(order.pk)}",
        {"reason": "unwanted", "lines": [{"line_id": str(line.pk), "quantity": 1}]},
        Idempotency_Key="return",
    )

    arrived = Page(browser.get(path_to(order)))

    assert "On its way since" in on_its_way.text
    assert "2 × Whistling kettle (Color: Red) Royal Mail, AB1" in on_its_way.text
    assert "https://carrier.example/AB1" in on_its_way.links
    assert "Cancel this order" not in on_its_way.text
    assert "Delivered on" in arrived.text
    assert "Return: requested 1 × Whistling kettle" in arrived.text


def test_money_that_was_paid_and_given_back_is_shown(browser: Client):
    payment = make_captured(1000)
    run(payments.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="one")

    page = Page(browser.get(path_to(payment.order)))

    assert "Paid 10.00 USD" in page.text
    assert "Refunded 3.00 USD" in page.text
    assert "partially refunded" in page.text


def test_the_invoice_is_one_link_away(browser: Client, api: Api):
    order = make_order()

    (link,) = [each for each in Page(browser.get(path_to(order))).links if "invoice" in each]
    invoice = api.get(link)

    assert (invoice.status_code, invoice["Content-Type"]) == (200, "application/pdf")


def test_a_buyer_cancels_by_the_form_and_not_by_a_link(browser: Client):
    order = make_stocked_order(1, customer=make_customer())
    path = path_to(order)
    cancelling = f"/orders/{order.pk}/cancel"
    assert browser.get(f"{cancelling}?key={tokens.key_of(order.pk)}").status_code == 405

    answer = send(browser, path, Page(browser.get(path)))

    assert (answer.status_code, answer["Location"]) == (303, path)
    order.refresh_from_db()
    assert order.status == "cancelled"
    page = Page(browser.get(answer["Location"]))
    assert "cancelled" in page.text
    assert page.forms == []
    cancelled = order.history.get(kind=EventKind.CANCELLED)
    assert (cancelled.actor_kind, cancelled.actor) == (ActorKind.GUEST, None)


def test_what_is_shipped_is_not_cancelled(browser: Client):
    order = make_stocked_order(1)
    page = Page(browser.get(path_to(order)))
    parcel = fulfilment.Parcel(quantities={order.lines.get().pk: 1})
    fulfilment.send_shipment(order_id=order.pk, parcel=parcel, actor=SYSTEM, at=timezone.now())

    refused = send(browser, path_to(order), page)

    assert refused.status_code == 409
    assert "does not allow this" in Page(refused).text
    order.refresh_from_db()
    assert order.status == "fulfilled"


@pytest.mark.parametrize("key", ["", "wrong", "é", "\x00", "x" * 3000])
def test_without_its_key_an_order_is_neither_shown_nor_cancelled(browser: Client, key: str):
    order, other = make_order(customer=make_customer()), make_order()
    page = Page(browser.get(path_to(order)))

    shown = browser.get(f"/orders/{order.pk}", {"key": key})
    refused = send(browser, path_to(order), page, key=key)
    foreign = browser.get(f"/orders/{order.pk}", {"key": tokens.key_of(other.pk)})

    for answer in (shown, refused, foreign):
        assert answer.status_code == 404
        assert "This link does not work" in Page(answer).text
        assert "Ada" not in answer.content.decode()
    order.refresh_from_db()
    assert order.status == "placed"


def test_a_draft_has_no_page(browser: Client):
    draft = make_draft()

    assert browser.get(f"/orders/{draft.pk}?key={tokens.key_of(draft.pk)}").status_code == 404


def test_the_page_speaks_russian(browser: Client):
    order = make_order()

    page = browser.get(path_to(order), headers={"Accept-Language": "ru"})

    assert page["Content-Language"] == "ru"
    for words in (f"Заказ № {order.number}", "Доставка", "Итого", "Отменить заказ", "Счёт"):
        assert words in Page(page).text


def test_the_page_asks_the_same_of_the_database_for_many_lines_and_parcels(
    browser: Client, django_assert_num_queries
):
    orders = [make_stocked_order(1), make_stocked_order(2, 2, 2)]
    for order in orders:
        for line in order.lines.all():
            parcel = fulfilment.Parcel(quantities={line.pk: 1})
            fulfilment.send_shipment(
                order_id=order.pk, parcel=parcel, actor=SYSTEM, at=timezone.now()
            )

    for order in orders:
        with django_assert_num_queries(6):
            assert browser.get(path_to(order)).status_code == 200

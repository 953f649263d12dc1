"""Mail to buyers: what it says, and that it comes once."""

import datetime
from uuid import uuid4

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.events import ShipmentSent
from lavka.kernel import events
from lavka.notifications import tasks
from lavka.notifications.models import SentMail
from lavka.orders.events import OrderPlaced
from lavka.orders.models import Order
from lavka.payments import flows as payments
from lavka.payments.events import PaymentRefunded
from tests.accounts.factories import make_customer, make_staff
from tests.happening import SYSTEM
from tests.notifications.test_mail import html_of, only_mail
from tests.orders.factories import make_line, make_order, make_stocked_order
from tests.payments.factories import make_captured, run

pytestmark = pytest.mark.django_db

SHOP = "http://127.0.0.1:8000"


def confirm(order: Order, event_id: str | None = None) -> None:
    tasks.send_order_placed(
        event_id=event_id or str(uuid4()), order_id=str(order.pk), newer="field"
    )


@pytest.mark.parametrize(
    ("event", "task"),
    [
        (OrderPlaced, "notifications.send_order_placed"),
        (ShipmentSent, "notifications.send_order_shipped"),
        (PaymentRefunded, "notifications.send_order_refunded"),
    ],
)
def test_each_event_is_followed_by_its_mail(event, task):
    assert task in [handler.name for handler in events.handlers_of(event.name)]


def test_an_order_is_confirmed_with_what_it_has_and_costs():
    order = make_order(make_line(unit_price=129_900, quantity=2, tax=26_000), shipping=500)

    confirm(order)

    message = only_mail()
    assert (message.subject, message.to) == (f"Your order № {order.number}", ["ada@example.com"])
    thanks, lines, totals, _, link = message.body.strip().split("\n\n")
    assert thanks == "Thank you for your order at Lavka!"
    assert lines == "2 × Whistling kettle (Color: Red)  2,598.00 USD"
    assert totals.splitlines() == [
        "Goods  2,598.00 USD",
        "Shipping  5.00 USD",
        "Tax  261.00 USD",
        "Total  2,864.00 USD",
    ]
    html = html_of(message)
    assert ">2 × Whistling kettle (Color: Red)</td>" in html
    assert ">2,864.00 USD</td>" in html
    assert f'href="{link}"' in html
    record = SentMail.objects.get()
    assert (record.kind, record.order, record.user) == ("order_placed", order, None)
    assert record.sent_at is not None


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Payment is due by March 3, 2027, 1:30 a.m.: if nothing is paid"),
        ("ru", "Оплатите заказ до 3 марта 2027 г. 1:30: если до этого времени"),
    ],
    ids=["en", "ru"],
)
def test_a_deadline_of_payment_is_told_in_the_shops_time(language, words, settings):
    settings.TIME_ZONE = "Europe/Moscow"
    order = make_order(language=language)
    due_at = datetime.datetime(2027, 3, 2, 22, 30, tzinfo=datetime.UTC)
    Order.objects.filter(pk=order.pk).update(payment_due_at=due_at)

    confirm(order)
    Order.objects.filter(pk=order.pk).update(captured_amount=F("total_amount"))
    confirm(order)

    told, paid = mail.outbox
    assert words in told.body
    assert words in html_of(told)
    assert "2027" not in paid.body


def test_the_link_opens_the_order_without_signing_in(api):
    guests, customers = make_order(), make_order(customer=make_customer())

    confirm(guests)
    confirm(customers)

    for order, message in zip((guests, customers), mail.outbox, strict=True):
        page, key = message.body.strip().split("\n\n")[-1].split("?key=")
        assert page == f"{SHOP}/orders/{order.pk}"
        assert api.get(f"/orders/{order.pk}/?key={key}").json()["id"] == str(order.pk)
        assert api.get(f"/orders/{order.pk}/").status_code == 404


def test_the_mail_is_in_the_language_of_the_order():
    order = make_order(make_line(unit_price=129_950, quantity=1), language="ru")

    confirm(order)

    message = only_mail()
    assert message.subject == f"Ваш заказ № {order.number}"
    assert "Товары  1\xa0299,50 USD" in message.body
    assert '<html lang="ru">' in html_of(message)


def test_an_order_is_confirmed_once_however_often_its_task_runs():
    order, event_id = make_order(), str(uuid4())
    for _ in range(3):
        confirm(order, event_id)

    assert len(mail.outbox) == 1


def test_what_a_stranger_chose_is_not_in_the_mail():
    spam = "Win a prize at https://evil.example"
    address = {"name": spam, "line1": spam, "city": spam, "country": "GB"}
    order = make_order(shipping_address=address)

    confirm(order)

    assert "evil.example" not in only_mail().body + html_of(only_mail())


def test_a_products_name_makes_neither_paragraphs_nor_columns_nor_html():
    order = make_order(make_line(name="Kettle\n\n<b>bold</b>\tand more", selected_options=()))

    confirm(order)

    assert "2 × Kettle <b>bold</b> and more  25.98 USD" in only_mail().body
    assert "2 × Kettle &lt;b&gt;bold&lt;/b&gt; and more</td>" in html_of(only_mail())


def test_each_parcel_has_a_mail_of_its_own_with_what_is_in_it():
    order = make_stocked_order(2, 1)
    first, second = order.lines.order_by("position")
    tracking = {
        "carrier": "Royal Mail",
        "tracking_number": "AB1",
        "tracking_url": "https://carrier.example/AB1",
    }
    parcels = [
        fulfilment.send_shipment(
            order_id=order.pk,
            parcel=fulfilment.Parcel(quantities=quantities, **fields),
            actor=SYSTEM,
            at=timezone.now(),
        )
        for quantities, fields in (({first.pk: 1}, tracking), ({first.pk: 1, second.pk: 1}, {}))
    ]

    for parcel in parcels:
        tasks.send_order_shipped(
            event_id=str(uuid4()), shipment_id=str(parcel.pk), order_id=str(order.pk)
        )

    tracked, untracked = mail.outbox
    assert tracked.subject == f"Your order № {order.number} is on its way"
    assert "handed to Royal Mail, its tracking number is AB1:\n\n1 × " in tracked.body
    assert 'href="https://carrier.example/AB1"' in html_of(tracked)
    assert "handed to the carrier:\n\n1 × " in untracked.body
    assert "Where it is" not in untracked.body


def test_a_refund_says_what_was_paid_and_what_is_given_back_by_now():
    payment = make_captured(1000)
    run(payments.refund, payment_id=payment.pk, amount=payment.money(300), key="one")

    tasks.send_order_refunded(
        event_id=str(uuid4()), payment_id=str(payment.pk), order_id=str(payment.order_id)
    )

    assert "Of 10.00 USD that you paid, 3.00 USD in all has been refunded" in only_mail().body


def test_an_order_and_a_parcel_that_are_gone_get_no_mail():
    nobody = str(uuid4())

    tasks.send_order_placed(event_id=nobody, order_id=nobody)
    tasks.send_order_shipped(event_id=nobody, shipment_id=nobody, order_id=nobody)

    assert mail.outbox == []
    assert not SentMail.objects.exists()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", SentMail.Kind.values)
def test_staff_see_how_each_mail_looks(client, kind, language):
    client.force_login(make_staff("notifications.view_sentmail"))

    shown = client.get(f"/admin/notifications/sentmail/preview/?kind={kind}&language={language}")

    page = shown.content.decode()
    assert shown.status_code == 200
    assert '<iframe sandbox title="HTML" srcdoc="&lt;!doctype html&gt;' in page
    assert f"&lt;html lang=&quot;{language}&quot;&gt;" in page
    assert shown.context["letter"].subject in page
    assert mail.outbox == []


def test_a_kind_or_language_that_is_none_shows_the_first(client):
    client.force_login(make_staff())

    shown = client.get("/admin/notifications/sentmail/preview/?kind=spam&language=xx")

    assert (shown.context["kind"], shown.context["language"]) == ("verify_email", "en")


def test_the_preview_needs_the_right(client):
    client.force_login(make_staff("orders.view_order"))

    assert client.get("/admin/notifications/sentmail/preview/").status_code == 403

"""Every link in every mail leads to a page that works, or to the configured one."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest
from lavka.listing.services import rebuild_listing
from lavka.notifications import tasks
from lavka.notifications.models import SentMail
from lavka.orders.services import lifecycle
from lavka.payments import flows as payments
from tests.accounts.factories import make_customer, make_email_change
from tests.catalog.factories import make_product, make_variant
from tests.happening import SYSTEM
from tests.orders.factories import make_order, make_stocked_order
from tests.payments.factories import make_captured, run
from tests.storefront.forms import Page, path_of

pytestmark = pytest.mark.django_db

Kind = SentMail.Kind
OUTSIDE = "https://carrier.example/AB1"


def of_user(task: Callable[..., None]) -> None:
    task(event_id=str(uuid4()), user_id=str(make_customer(email="ada@example.com").pk))


def of_email_change(task: Callable[..., None]) -> None:
    user = make_customer(email="ada@example.com")
    change = make_email_change(user)
    task(event_id=str(uuid4()), user_id=str(user.pk), change_id=str(change.pk))


def order_placed() -> None:
    tasks.send_order_placed(event_id=str(uuid4()), order_id=str(make_order().pk))


def order_shipped() -> None:
    order = make_stocked_order(1)
    parcel = fulfilment.Parcel(
        quantities={order.lines.get().pk: 1}, carrier="Royal Mail", tracking_url=OUTSIDE
    )
    sent = fulfilment.send_shipment(
        order_id=order.pk, parcel=parcel, actor=SYSTEM, at=timezone.now()
    )
    tasks.send_order_shipped(
        event_id=str(uuid4()), shipment_id=str(sent.pk), order_id=str(order.pk)
    )


def order_refunded() -> None:
    payment = make_captured(1000)
    run(payments.refund, payment_id=payment.pk, amount=payment.money(300), key="one")
    tasks.send_order_refunded(event_id=str(uuid4()), order_id=str(payment.order_id))


def order_cancelled() -> None:
    order = make_stocked_order(1)
    lifecycle.cancel_order(order_id=order.pk, actor=SYSTEM, at=timezone.now())
    tasks.send_order_cancelled(event_id=str(uuid4()), order_id=str(order.pk))


def of_return(status: str) -> None:
    order = make_stocked_order(1)
    asked = ReturnRequest.objects.create(order=order, reason="damaged", requested_at=timezone.now())
    tasks.send_return_changed(
        event_id=str(uuid4()), return_id=str(asked.pk), order_id=str(order.pk), status=status
    )


def back_in_stock() -> None:
    variant = make_variant(product=make_product(slug="kettle", name="Kettle"))
    rebuild_listing()
    tasks.send_back_in_stock(
        event_id=str(uuid4()), user_id=str(make_customer().pk), variant_id=str(variant.pk)
    )


# How each kind of mail comes to be sent, what the page says that it leads to, and how the link of
# a shop front looks that takes the page over.
MAILS = {
    Kind.VERIFY_EMAIL: (
        lambda: of_user(tasks.send_verification), "ada@example.com", r"/account/verify\?t=\S+",
    ),
    Kind.ACCOUNT_EXISTS: (
        lambda: of_user(tasks.send_account_exists), "Forgot your password?", "/account/forgotten",
    ),
    Kind.RESET_PASSWORD: (
        lambda: of_user(tasks.send_password_reset), "New password", r"/account/password#\S+",
    ),
    Kind.SIGN_IN: (
        lambda: of_user(tasks.send_sign_in_link), "ada@example.com", r"/account/enter\?t=\S+",
    ),
    Kind.CHANGE_EMAIL: (
        lambda: of_email_change(tasks.send_email_change), "lovelace@example.com",
        r"/account/address\?t=\S+",
    ),
    Kind.EMAIL_CHANGE_REQUESTED: (
        lambda: of_email_change(tasks.send_email_change_requested), "ada@example.com",
        r"/account/keep-address\?t=\S+",
    ),
    Kind.EMAIL_CHANGED: (
        lambda: of_email_change(tasks.send_email_changed), "ada@example.com",
        r"/account/keep-address\?t=\S+",
    ),
    Kind.PASSWORD_CHANGED: (
        lambda: of_user(tasks.send_password_changed), "Forgot your password?", "/account/forgotten",
    ),
    Kind.ORDER_PLACED: (order_placed, "Order № ", r"/my-orders/\d+\?key=\S+"),
    Kind.ORDER_SHIPPED: (order_shipped, "Track this parcel", r"/my-orders/\d+\?key=\S+"),
    Kind.ORDER_CANCELLED: (order_cancelled, "Order № ", r"/my-orders/\d+\?key=\S+"),
    Kind.RETURN_APPROVED: (
        lambda: of_return("approved"), "Order № ", r"/my-orders/\d+\?key=\S+",
    ),
    Kind.RETURN_REFUSED: (lambda: of_return("refused"), "Order № ", r"/my-orders/\d+\?key=\S+"),
    Kind.RETURN_RECEIVED: (
        lambda: of_return("received"), "Order № ", r"/my-orders/\d+\?key=\S+",
    ),
    Kind.ORDER_REFUNDED: (order_refunded, "Refunded 3.00 USD", r"/my-orders/\d+\?key=\S+"),
    Kind.BACK_IN_STOCK: (back_in_stock, "Kettle", r"/shop/kettle\.html"),
}  # fmt: skip


def links_in(message: EmailMessage) -> set[str]:
    """All of them, of the plain text and of the HTML."""
    ((html, _type),) = [(each.content, each.mimetype) for each in message.alternatives]
    plain = set(re.findall(r"https?://\S+", message.body))
    rich = {each.replace("&amp;", "&") for each in re.findall(r'href="(http[^"]+)"', html)}
    assert plain == rich
    return plain


def test_every_kind_of_mail_is_walked():
    assert set(MAILS) == set(Kind)


@pytest.mark.parametrize("kind", MAILS)
def test_each_link_of_a_mail_leads_to_a_page_that_works(kind: Kind):
    send, words, _front = MAILS[kind]
    send()

    links = links_in(mail.outbox[-1]) - {OUTSIDE}

    assert len(links) == 1
    for link in links:
        assert urlsplit(link).netloc == "127.0.0.1:8000"
        for language in ("en", "ru"):
            page = Client().get(path_of(link), headers={"Accept-Language": language})
            assert page.status_code == 200
            assert f'<html lang="{language}">' in page.content.decode()
        assert words in Page(Client().get(path_of(link))).text


@pytest.mark.parametrize("kind", MAILS)
def test_each_link_of_a_mail_leads_to_the_configured_front(kind: Kind, front: str):
    send, _words, form = MAILS[kind]
    send()

    (link,) = links_in(mail.outbox[-1]) - {OUTSIDE}

    assert re.fullmatch(re.escape(front) + form, link)

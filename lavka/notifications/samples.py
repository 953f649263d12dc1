"""Mails about nobody, for the staff to see how they look; nothing of them is stored."""

import datetime
from uuid import UUID

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from lavka.accounts.models import EmailChange, User
from lavka.catalog.rules import SelectedOption
from lavka.catalog.selectors import Article
from lavka.fulfilment.models import Shipment
from lavka.notifications import drafts
from lavka.notifications.letters import Draft
from lavka.notifications.models import SentMail
from lavka.notifications.rules import purpose_of
from lavka.notifications.selectors import Cancellation, Refund
from lavka.orders.models import Order, OrderLine

Kind = SentMail.Kind
NOBODY = UUID(int=0)
_EMAIL_CHANGES = {Kind.CHANGE_EMAIL, Kind.EMAIL_CHANGE_REQUESTED, Kind.EMAIL_CHANGED}
_CANCELLATION = Cancellation(
    is_overdue=False, is_customers=False, captured=144_600, refunded=0, is_paid_later=False
)


def sample_of(kind: str, language: str) -> Draft:
    """A mail of this kind in this language."""
    with translation.override(language):
        return _sample_of(kind, language)


def _sample_of(kind: str, language: str) -> Draft:
    if purpose_of(kind) == "order":
        return _of_order(kind, _order(language), _lines())
    user = User(pk=NOBODY, email="ada@example.com", language=language, password="")
    if kind == Kind.BACK_IN_STOCK:
        return drafts.waiting_draft(user, _article())
    if kind in _EMAIL_CHANGES:
        change = EmailChange(
            pk=NOBODY, user=user, old_email=user.email, new_email="lovelace@example.com"
        )
        return drafts.email_change_draft(kind, change)
    return drafts.account_draft(kind, user)


def _of_order(kind: str, order: Order, lines: list[OrderLine]) -> Draft:
    pieces = [(line, line.quantity) for line in lines]
    if kind == Kind.ORDER_SHIPPED:
        return drafts.shipment_draft(_shipment(), order, pieces)
    if kind == Kind.ORDER_CANCELLED:
        return drafts.cancellation_draft(order, lines, _CANCELLATION, reserved=0)
    if kind == Kind.ORDER_REFUNDED:
        return drafts.refund_draft(order, Refund(amount=50_000, pieces=pieces))
    if kind in drafts.RETURN_STEPS.values():
        return drafts.return_draft(kind, order, pieces)
    order.captured_amount, order.refunded_amount = 0, 0
    order.payment_due_at = timezone.now() + datetime.timedelta(days=14)
    return drafts.order_draft(kind, order, lines)


def _order(language: str) -> Order:
    return Order(
        pk=NOBODY,
        number=1042,
        email="ada@example.com",
        language=language,
        currency="USD",
        subtotal_amount=129_900,
        discount_amount=9_900,
        shipping_amount=500,
        tax_amount=24_100,
        total_amount=144_600,
        captured_amount=144_600,
        refunded_amount=50_000,
    )


def _lines() -> list[OrderLine]:
    kettle = OrderLine(name=_("Whistling kettle"), selected_options=[_red()], total_amount=25_000)
    stove = OrderLine(name=_("Stove"), total_amount=95_000)
    kettle.quantity, stove.quantity = 2, 1
    return [kettle, stove]


def _red() -> SelectedOption:
    return SelectedOption(code="color", name=_("Color"), value="red", label=_("Red"))


def _shipment() -> Shipment:
    return Shipment(
        carrier="Royal Mail",
        tracking_number="AB123456789GB",
        tracking_url="https://www.royalmail.com/track-your-item",
    )


def _article() -> Article:
    return Article(
        variant_id=NOBODY,
        product_id=NOBODY,
        product_slug="whistling-kettle",
        product_name=_("Whistling kettle"),
        sku="KETTLE-RED",
        options={"color": "red"},
        selected_options=[_red()],
        price_amount=12_500,
        weight_grams=900,
    )

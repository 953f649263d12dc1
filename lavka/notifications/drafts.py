"""What each mail is about, read from the rows that its event names.

What a stranger can choose is left out: whoever registers a stranger's address, or orders to it,
would have the shop mail their words. That goes for names and addresses.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone, translation

from lavka.accounts import links as account_links
from lavka.accounts import tokens as account_tokens
from lavka.accounts.models import User
from lavka.catalog import links as catalog_links
from lavka.catalog.rules import SelectedOption, name_with_options
from lavka.catalog.selectors import Article, articles_of
from lavka.fulfilment.models import Shipment
from lavka.kernel.formats import format_money
from lavka.kernel.links import LinkKind
from lavka.kernel.money import Money
from lavka.notifications.letters import COLUMN, Draft
from lavka.notifications.models import SentMail
from lavka.orders import links as order_links
from lavka.orders import selectors as orders
from lavka.orders.models import Order, OrderLine
from lavka.orders.summary import totals_of

Kind = SentMail.Kind


def to_user(kind: str, user_id: UUID) -> Draft | None:
    """About an account; None for one that is closed, or verified when it is to be verified.

    A token in it is made now, so its time runs from now.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or (kind == Kind.VERIFY_EMAIL and user.is_email_verified):
        return None
    return account_draft(kind, user)


def account_draft(kind: str, user: User) -> Draft:
    """About this account."""
    if kind == Kind.VERIFY_EMAIL:
        address = _with_token(account_links.VERIFY_EMAIL, account_tokens.verification_of(user))
    elif kind == Kind.RESET_PASSWORD:
        address = _with_token(account_links.RESET_PASSWORD, account_tokens.reset_of(user))
    elif kind == Kind.SIGN_IN:
        token = account_tokens.sign_in_of(user, at=timezone.now())
        address = _with_token(account_links.SIGN_IN, token)
    else:
        address = {"link": account_links.FORGOT_PASSWORD.url()}
    return Draft(kind, user.email, user.language, {"email": user.email, **address})


def to_buyer(kind: str, order_id: UUID) -> Draft | None:
    """About an order; None for one that is gone."""
    order = orders.all_orders().filter(pk=order_id).first()
    return None if order is None else order_draft(kind, order, list(order.lines.all()))


def order_draft(kind: str, order: Order, lines: list[OrderLine]) -> Draft:
    """About this order, with what was bought and what it comes to."""
    with translation.override(order.language):
        context = _order(order) | {
            "lines": _table(
                (_piece(line, line.quantity), order.money(line.total_amount)) for line in lines
            ),
            "totals": _table(totals_of(order)),
            "captured": format_money(order.money(order.captured_amount)),
            "refunded": format_money(order.money(order.refunded_amount)),
        }
    return Draft(kind, order.email, order.language, context)


def of_shipment(shipment_id: UUID) -> Draft | None:
    """About a parcel; None for one that is gone."""
    parcels = Shipment.objects.select_related("order").prefetch_related("lines__order_line")
    shipment = parcels.filter(pk=shipment_id).first()
    if shipment is None:
        return None
    pieces = [(line.order_line, line.quantity) for line in shipment.lines.all()]
    return shipment_draft(shipment, shipment.order, pieces)


def shipment_draft(
    shipment: Shipment, order: Order, pieces: Iterable[tuple[OrderLine, int]]
) -> Draft:
    """About this parcel of an order and the pieces in it."""
    context = _order(order) | {
        "carrier": _one_line(shipment.carrier),
        "tracking_number": _one_line(shipment.tracking_number),
        "tracking_url": shipment.tracking_url,
        "lines": "\n".join(_piece(line, quantity) for line, quantity in pieces),
    }
    return Draft(Kind.ORDER_SHIPPED, order.email, order.language, context)


def to_waiting(user_id: UUID, variant_id: UUID) -> Draft | None:
    """About a variant that is back; None for an account that is closed, or one off sale again."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    article = articles_of([variant_id], timezone.now()).get(variant_id)
    return None if user is None or article is None else waiting_draft(user, article)


def waiting_draft(user: User, article: Article) -> Draft:
    """About this variant, for this customer."""
    with translation.override(user.language):
        context = {
            "product": _named(article.product_name, article.selected_options),
            "price": format_money(article.price),
            "link": catalog_links.PRODUCT.url(slug=article.product_slug),
        }
    return Draft(Kind.BACK_IN_STOCK, user.email, user.language, context)


def _with_token(kind: LinkKind, token: str) -> dict[str, Any]:
    return {"link": kind.url(token=token), "token": token, "is_link_secret": True}


def _order(order: Order) -> dict[str, Any]:
    """Number and link, which carries the order's key: whoever reads the mail sees the order."""
    return {"number": order.number, "link": order_links.link_to(order), "is_link_secret": True}


def _table(rows: Iterable[tuple[str, Money]]) -> str:
    return "\n".join(f"{label}{COLUMN}{format_money(money)}" for label, money in rows)


def _piece(line: OrderLine, quantity: int) -> str:
    return f"{quantity} × {_named(line.name, line.selected_options)}"


def _named(name: str, selected: Sequence[SelectedOption]) -> str:
    return _one_line(name_with_options(name, selected))


def _one_line(text: str) -> str:
    """Without the blank lines and tabs that would be read as paragraphs and columns."""
    return " ".join(text.split())

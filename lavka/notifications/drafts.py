"""What each mail is about, read from the rows that its event names.

What a stranger can choose is left out: whoever registers a stranger's address, or orders to it,
would have the shop mail their words. That goes for names and addresses.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone, translation

from lavka.accounts import links as account_links
from lavka.accounts import selectors as accounts
from lavka.accounts import tokens as account_tokens
from lavka.accounts.models import EmailChange, User
from lavka.catalog import links as catalog_links
from lavka.catalog.rules import SelectedOption, name_with_options
from lavka.catalog.selectors import Article, articles_of
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.fulfilment.rules import ReturnStatus
from lavka.kernel.formats import format_instant, format_money
from lavka.kernel.links import LinkKind
from lavka.kernel.money import Money
from lavka.notifications import selectors
from lavka.notifications.letters import COLUMN, Draft
from lavka.notifications.models import SentMail
from lavka.notifications.selectors import Cancellation, Refund
from lavka.orders import links as order_links
from lavka.orders import selectors as orders
from lavka.orders.models import Order, OrderLine
from lavka.orders.summary import totals_of

Kind = SentMail.Kind

# Which steps of a return are mailed; whoever asks for one needs no mail about it.
RETURN_STEPS: Mapping[str, Kind] = {
    ReturnStatus.APPROVED: Kind.RETURN_APPROVED,
    ReturnStatus.REFUSED: Kind.RETURN_REFUSED,
    ReturnStatus.RECEIVED: Kind.RETURN_RECEIVED,
}


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


def of_email_change(kind: str, change_id: UUID) -> Draft | None:
    """About another address for an account; None for one that is void, or that somebody else has.

    The new address is asked to confirm it, the old one is told, and may undo it.
    """
    if kind == Kind.CHANGE_EMAIL:
        change = accounts.pending_email_change(change_id)
        if change is None or User.objects.filter(email=change.new_email).exists():
            return None
    else:
        change = EmailChange.objects.select_related("user").filter(pk=change_id).first()
    return None if change is None else email_change_draft(kind, change)


def email_change_draft(kind: str, change: EmailChange) -> Draft:
    """About this change: neither mailbox reads of the other, as it may be a stranger's."""
    language = change.user.language
    if kind == Kind.CHANGE_EMAIL:
        token = account_tokens.email_change_of(change)
        context = {"email": change.new_email, **_with_token(account_links.CHANGE_EMAIL, token)}
        return Draft(kind, change.new_email, language, context)
    token = account_tokens.email_undo_of(change)
    context = {"email": change.old_email, **_with_token(account_links.UNDO_EMAIL_CHANGE, token)}
    return Draft(kind, change.old_email, language, context)


def to_buyer(kind: str, order_id: UUID) -> Draft | None:
    """About an order; None for one that is gone."""
    order = orders.all_orders().filter(pk=order_id).first()
    return None if order is None else order_draft(kind, order, list(order.lines.all()))


def order_draft(kind: str, order: Order, lines: list[OrderLine]) -> Draft:
    """About this order, with what was bought, what it comes to, and until when that is paid."""
    deadline = order.payment_deadline
    with translation.override(order.language):
        context = _order(order) | {
            "lines": _table(
                (_piece(line, line.quantity), order.money(line.total_amount)) for line in lines
            ),
            "totals": _table(totals_of(order)),
            "payment_due": format_instant(deadline) if deadline else "",
        }
    return _to_buyer(kind, order, context)


def of_cancellation(order_id: UUID) -> Draft | None:
    """About a cancelled order and its money; None for one that is gone or not cancelled."""
    order = orders.all_orders().filter(pk=order_id).first()
    cancellation = None if order is None else selectors.cancellation_of(order)
    if order is None or cancellation is None:
        return None
    reserved = selectors.reserved_for(order)
    return cancellation_draft(order, list(order.lines.all()), cancellation, reserved)


def cancellation_draft(
    order: Order, lines: Iterable[OrderLine], cancellation: Cancellation, reserved: int
) -> Draft:
    """About this cancellation: what is not sent, and what becomes of the money."""
    due = cancellation.captured - cancellation.refunded
    context = _order(order) | {
        "is_overdue": cancellation.is_overdue,
        "is_customers": cancellation.is_customers,
        "lines": _pieces((line, line.quantity) for line in lines),
        "captured": _amount(order, cancellation.captured),
        "refunded": _amount(order, cancellation.refunded),
        "due": _amount(order, due),
        "reserved": _amount(order, reserved),
    }
    return _to_buyer(Kind.ORDER_CANCELLED, order, context)


def of_refund(order_id: UUID, operation_id: UUID | None) -> Draft | None:
    """About money that went back; None for what another mail tells.

    That is the mail about the cancellation, or about a later part of the same refund.
    """
    order = Order.objects.filter(pk=order_id).first()  # or a purchase that became none
    if order is None:
        return None
    cancellation = selectors.cancellation_of(order)
    if cancellation is not None and not cancellation.is_paid_later:
        return None
    if operation_id is None:  # in events of before they said which refund it was
        return refund_draft(order, Refund(amount=0, pieces=[]))
    refund = selectors.refund_of(order, operation_id)
    return None if refund is None else refund_draft(order, refund)


def refund_draft(order: Order, refund: Refund) -> Draft:
    """About this refund, and what was refunded of the order by now."""
    context = _order(order) | {
        "amount": _amount(order, refund.amount),
        "lines": _pieces(refund.pieces),
        "captured": _amount(order, order.captured_amount),
        "refunded": _amount(order, order.refunded_amount),
    }
    return _to_buyer(Kind.ORDER_REFUNDED, order, context)


def of_return(return_id: UUID, status: str) -> Draft | None:
    """About a step of a return; None for one that is gone, or a step that is not mailed."""
    asked = (
        ReturnRequest.objects.select_related("order")
        .prefetch_related("lines__order_line")
        .filter(pk=return_id)
        .first()
    )
    if asked is None:
        return None
    kind = RETURN_STEPS.get(status or asked.status)
    pieces = [(line.order_line, line.quantity) for line in asked.lines.all()]
    return None if kind is None else return_draft(kind, asked.order, pieces)


def return_draft(kind: str, order: Order, pieces: Iterable[tuple[OrderLine, int]]) -> Draft:
    """About this step of a return and its pieces."""
    is_paid = order.refundable_amount > 0
    return _to_buyer(kind, order, _order(order) | {"lines": _pieces(pieces), "is_paid": is_paid})


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
        "lines": _pieces(pieces),
    }
    return _to_buyer(Kind.ORDER_SHIPPED, order, context)


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


def _to_buyer(kind: str, order: Order, context: Mapping[str, Any]) -> Draft:
    return Draft(kind, order.email, order.language, context)


def _order(order: Order) -> dict[str, Any]:
    """Number and link, which carries the order's key: whoever reads the mail sees the order.

    A purchase that never became an order has neither.
    """
    if not order.is_placed:
        return {}
    return {"number": order.number, "link": order_links.link_to(order), "is_link_secret": True}


def _amount(order: Order, amount: int) -> str:
    """As its buyer reads it; empty for nothing."""
    with translation.override(order.language):
        return format_money(order.money(amount)) if amount else ""


def _pieces(pieces: Iterable[tuple[OrderLine, int]]) -> str:
    return "\n".join(_piece(line, quantity) for line, quantity in pieces)


def _table(rows: Iterable[tuple[str, Money]]) -> str:
    return "\n".join(f"{label}{COLUMN}{format_money(money)}" for label, money in rows)


def _piece(line: OrderLine, quantity: int) -> str:
    return f"{quantity} × {_named(line.name, line.selected_options)}"


def _named(name: str, selected: Sequence[SelectedOption]) -> str:
    return _one_line(name_with_options(name, selected))


def _one_line(text: str) -> str:
    """Without the blank lines and tabs that would be read as paragraphs and columns."""
    return " ".join(text.split())

"""The page of an order, for whoever has its key."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from lavka.addresses.formats import postal_lines
from lavka.catalog.api.shapes import picture_json
from lavka.catalog.pictures import WIDTHS
from lavka.catalog.rules import StoredPicture, name_with_options
from lavka.fulfilment import selectors as fulfilment
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.invoices.selectors import invoices_of
from lavka.kernel.actors import Actor
from lavka.kernel.errors import NotFound
from lavka.kernel.formats import format_instant, format_money
from lavka.orders import selectors, services
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import OrderPaymentStatus, OrderStatus, sources_of
from lavka.orders.summary import totals_of
from lavka.storefront.pages import customer_page, refuse, show
from lavka.web.views import in_thread


@customer_page("GET")
async def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """What was bought, what was paid, where it is, and what may still be done."""
    key = request.GET.get("key", "")
    try:
        context = await in_thread(_page_of, order_id, key)
    except Order.DoesNotExist:
        return refuse(request, NotFound(), template="link_refused")
    return show(request, "order", context)


@customer_page("POST")
async def cancel(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """Cancel the order, and show it."""
    key = request.POST.get("key", "")
    try:
        await in_thread(_cancel, order_id, key)
    except Order.DoesNotExist:
        return refuse(request, NotFound(), template="link_refused")
    page = reverse("storefront:order", args=[order_id], query={"key": key})
    return HttpResponseRedirect(page, status=303)


def _cancel(order_id: UUID, key: str) -> None:
    selectors.order_for(order_id, customer_id=None, key=key)
    services.cancel_order(order_id=order_id, actor=Actor.customer(), at=timezone.now())


def _page_of(order_id: UUID, key: str) -> dict[str, Any]:
    order = selectors.order_for(order_id, customer_id=None, key=key)
    lines = {line.pk: line for line in order.lines.all()}
    is_cancelled = order.status == OrderStatus.CANCELLED
    deadline = order.payment_deadline
    due = 0 if is_cancelled else order.total_amount - order.refundable_amount
    return {
        "order": order,
        "key": key,
        "lines": [_line(order, line) for line in lines.values()],
        "totals": [(label, format_money(money)) for label, money in totals_of(order)],
        "payment_status": OrderPaymentStatus(order.payment_status).label,
        "paid": _money(order, order.captured_amount),
        "refunded": _money(order, order.refunded_amount),
        "due": _money(order, due if order.refunded_amount == 0 else 0),
        "payment_due": format_instant(deadline) if deadline else "",
        "shipments": [_shipment(each, lines) for each in fulfilment.shipments_of(order.pk)],
        "returns": [_return(each, lines) for each in fulfilment.returns_of(order.pk)],
        "ship_to": postal_lines(order.shipping_address),
        "bill_to": postal_lines(order.billing_address or order.shipping_address),
        "is_cancelled": is_cancelled,
        "invoices": [(each.pk, each.title) for each in invoices_of(order.pk)],
        "can_cancel": order.status in sources_of(OrderStatus.CANCELLED),
    }


def _line(order: Order, line: OrderLine) -> dict[str, Any]:
    return {
        "picture": _picture(line.image),
        "name": name_with_options(line.name, line.selected_options),
        "quantity": str(line.quantity),
        "price": format_money(order.money(line.unit_price_amount)),
        "total": format_money(order.money(line.total_amount)),
    }


def _picture(stored: StoredPicture | None) -> dict[str, str] | None:
    """The smallest thumbnail, or the picture itself while there is none."""
    picture = picture_json(stored)
    if picture is None:
        return None
    url = picture["thumbnails"].get(str(WIDTHS[0]), picture["url"])
    return {"url": url, "alt": picture["alt"]}


def _shipment(shipment: Shipment, lines: dict[UUID, OrderLine]) -> dict[str, Any]:
    pieces = [(lines[each.order_line_id], each.quantity) for each in shipment.lines.all()]
    return {"parcel": shipment, "pieces": _pieces(pieces)}


def _return(asked: ReturnRequest, lines: dict[UUID, OrderLine]) -> dict[str, Any]:
    pieces = [(lines[each.order_line_id], each.quantity) for each in asked.lines.all()]
    return {"request": asked, "pieces": _pieces(pieces)}


def _pieces(pieces: Iterable[tuple[OrderLine, int]]) -> list[str]:
    return [
        f"{quantity} × {name_with_options(line.name, line.selected_options)}"
        for line, quantity in pieces
    ]


def _money(order: Order, amount: int) -> str:
    """Nothing for no money."""
    return format_money(order.money(amount)) if amount > 0 else ""

"""The invoice of an order as a PDF, in the language of the order."""

import json
from pathlib import Path
from typing import Any

from django.utils import formats, translation
from django.utils.translation import gettext as _

from lavka.addresses.formats import postal_lines
from lavka.catalog.rules import name_with_options
from lavka.kernel.conf import options
from lavka.orders.models import Order, OrderLine

TEMPLATE = Path(__file__).parent / "templates" / "orders" / "invoice.typ"


def invoice_of(order: Order) -> bytes:
    """Render the invoice of a placed order whose lines are loaded; the same bytes each time.

    Typst brings a typeface for Latin and Cyrillic, and takes a few milliseconds.
    """
    import typst  # 7 MB, which a process that prints no invoice need not hold

    if order.placed_at is None:
        raise ValueError("a draft has no invoice")
    with translation.override(order.language):
        written = json.dumps(_content(order))
    rendered: bytes = typst.compile(
        str(TEMPLATE),
        sys_inputs={"invoice": written},
        ignore_system_fonts=True,
        timestamp=int(order.placed_at.timestamp()),
    )
    return rendered


def _content(order: Order) -> dict[str, Any]:
    return {
        "shop": options.shop_name,
        "language": order.language,
        "date": formats.date_format(order.placed_at or order.created_at, "DATE_FORMAT"),
        "labels": _labels(order),
        "bill_to": [*postal_lines(order.billing_address or order.shipping_address), order.email],
        "ship_to": postal_lines(order.shipping_address),
        "lines": [_line(order, line) for line in order.lines.all()],
        "totals": _totals(order),
        "sum": [_("Total"), str(order.total)],
        "payments": _payments(order),
    }


def _labels(order: Order) -> dict[str, str]:
    return {
        "title": _("Invoice № %(number)s") % {"number": order.number},
        "date": _("Date"),
        "bill_to": _("Invoice to"),
        "ship_to": _("Delivery to"),
        "name": _("Description"),
        "quantity": _("Quantity"),
        "price": _("Price"),
        "discount": _("Discount"),
        "total": _("Amount"),
    }


def _line(order: Order, line: OrderLine) -> dict[str, Any]:
    discount = str(order.money(line.discount_amount)) if line.discount_amount else ""
    return {
        "name": name_with_options(line.name, line.selected_options),
        "sku": line.sku,
        "amounts": [
            str(line.quantity),
            str(order.money(line.unit_price_amount)),
            discount,
            str(order.money(line.total_amount)),
        ],
    }


def _totals(order: Order) -> list[list[str]]:
    tax = _("Included tax") if order.is_tax_included else _("Tax")
    rows = [
        (_("Goods"), order.subtotal_amount, True),
        (_("Discount"), -order.discount_amount, order.discount_amount > 0),
        (_("Shipping"), order.shipping_amount, True),
        (tax, order.tax_amount, True),
    ]
    return [[label, str(order.money(amount))] for label, amount, is_shown in rows if is_shown]


def _payments(order: Order) -> list[list[str]]:
    rows = [(_("Paid"), order.captured_amount), (_("Refunded"), order.refunded_amount)]
    return [[label, str(order.money(amount))] for label, amount in rows if amount]

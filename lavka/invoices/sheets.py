"""What a document says: for programs, and word for word for the typesetter."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from lavka.addresses.formats import postal_lines
from lavka.fulfilment.models import Shipment
from lavka.invoices.models import Invoice
from lavka.invoices.rules import Cause, CorrectedInvoice, InvoiceKind, Row, as_json, rate_totals
from lavka.kernel.conf import options
from lavka.kernel.formats import format_instant, format_money
from lavka.kernel.money import exponent_of
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments.models import Operation
from lavka.payments.rules import OperationKind, OperationState


def named(row: Row, invoice: Invoice) -> Row:
    """A sum at a rate, with words for what it is."""
    with translation.override(invoice.language):
        if invoice.kind == InvoiceKind.INVOICE:
            name = _("Correction of an earlier refund")
        elif invoice.cause == Cause.CANCELLATION:
            name = _("Cancellation of the order")
        else:
            name = _("Refund")
        rates = ", ".join(f"{_number(each)} %" for each in row.rates)
        return replace(row, name=f"{name} ({rates})" if rates else name)


def content_of(
    invoice: Invoice, rows: Sequence[Row], corrected: Sequence[Invoice]
) -> dict[str, Any]:
    """All that a document says, for programs. Source: Directive 2006/112/EC, article 226."""
    order = invoice.order
    with translation.override(invoice.language):
        billing = order.billing_address or order.shipping_address
        customer = {
            "address": postal_lines(billing),
            "email": order.email,
            "vat_number": order.vat_number,
        }
        delivery = postal_lines(order.shipping_address)
    supplied_on, paid_on = _supplied_on(order), _paid_on(order)
    deadline = None if corrected else order.payment_deadline
    return {
        "seller": _seller(),
        "customer": customer,
        "delivery": delivery,
        "order_number": str(order.number),
        "issued_on": _day(invoice.issued_at).isoformat(),
        "supplied_on": supplied_on and supplied_on.isoformat(),
        "paid_on": paid_on and paid_on.isoformat(),
        "payment_due_at": deadline and deadline.isoformat(),
        "corrects": [_reference(each) for each in corrected],
        "rows": [as_json(row) for row in rows],
        "rates": [asdict(each) for each in rate_totals(rows)],
    }


def sheet_of(invoice: Invoice) -> dict[str, Any]:
    """What is printed, in the language of the order; nothing is looked up or worded later."""
    content = invoice.content
    with translation.override(invoice.language):
        return {
            "language": invoice.language,
            "title": _title(invoice),
            "seller": content["seller"],
            "seller_lines": _seller_lines(content["seller"]),
            "blocks": [
                [_("Invoice to"), _customer_lines(content["customer"])],
                [_("Delivery to"), content["delivery"]],
            ],
            "facts": [[label, text] for label, text in _facts(invoice) if text],
            "head": [
                _("Description"), _("Quantity"), _("Unit price without tax"), _("Discount"),
                _("Without tax"), _("Tax rate"), _("Tax"),
            ],
            "rows": [_printed(row, invoice) for row in content["rows"]],
            "rates": [_rate(each, invoice) for each in content["rates"]],
            "totals": [
                [_("Total without tax"), format_money(invoice.money(invoice.net_amount))],
                [_("Total tax"), format_money(invoice.money(invoice.tax_amount))],
            ],
            "sum": [_sum_label(invoice), format_money(invoice.money(invoice.total_amount))],
            "footer": _footer(content["seller"]),
        }  # fmt: skip


def _reference(invoice: Invoice) -> CorrectedInvoice:
    issued_on = _day(invoice.issued_at).isoformat()
    return {"id": str(invoice.pk), "name": invoice.name, "issued_on": issued_on}


def _seller() -> dict[str, Any]:
    """As the settings have it; a shop that says nothing is known by its name alone."""
    said = options.seller
    seller = {name: said.get(name, "") for name in ("vat_number", "tax_number", "register")}
    return seller | {
        "name": said.get("name") or options.shop_name,
        "address": list(said.get("address", ())),
        "contact": said.get("contact", ""),
    }


def _supplied_on(order: Order) -> datetime.date | None:
    """The day on which the last parcel was sent, once everything is on its way."""
    if order.status not in {OrderStatus.FULFILLED, OrderStatus.COMPLETED}:
        return None
    last = Shipment.objects.filter(order=order).aggregate(last=Max("sent_at"))["last"]
    return _day(last) if last else None


def _paid_on(order: Order) -> datetime.date | None:
    """The day on which the last of the money came, once all of it is there."""
    if order.captured_amount < order.total_amount or not order.total_amount:
        return None
    taken = Operation.objects.filter(
        payment__order=order,
        kind__in=[OperationKind.AUTHORISE, OperationKind.CAPTURE],
        state=OperationState.SUCCEEDED,
    )
    last = taken.aggregate(last=Max("finished_at"))["last"]
    return _day(last) if last else None


def _day(at: datetime.datetime) -> datetime.date:
    """The day in the shop's time zone."""
    return timezone.localdate(at)


def _title(invoice: Invoice) -> str:
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return _("Credit note № %(number)s") % {"number": invoice.name}
    return _("Invoice № %(number)s") % {"number": invoice.name}


def _seller_lines(seller: dict[str, Any]) -> list[str]:
    numbers = [(_("VAT number"), "vat_number"), (_("Tax number"), "tax_number")]
    said = [f"{label}: {seller[name]}" for label, name in numbers if seller[name]]
    return [seller["name"], *seller["address"], *said]


def _customer_lines(customer: dict[str, Any]) -> list[str]:
    vat_number = customer["vat_number"]
    said = [f"{_('VAT number')}: {vat_number}"] if vat_number else []
    return [*customer["address"], customer["email"], *said]


def _facts(invoice: Invoice) -> list[tuple[str, str]]:
    content = invoice.content
    corrects = invoice.corrects
    supplied = _date(content["supplied_on"]) or pgettext("date of supply", "upon dispatch")
    return [
        (_("Date of issue"), _date(content["issued_on"])),
        (_("Date of supply"), supplied if invoice.kind == InvoiceKind.INVOICE else ""),
        (_("Date of payment"), _date(content["paid_on"])),
        (_("Payment due by"), _instant(content["payment_due_at"])),
        (_("Order"), f"№ {content['order_number']}"),
        (
            ngettext("Corrects invoice", "Corrects invoices", len(corrects)),
            "; ".join(f"№ {each['name']}, {_date(each['issued_on'])}" for each in corrects),
        ),
        (_("Cause"), str(Cause(invoice.cause).label) if corrects else ""),
    ]


def _printed(row: dict[str, Any], invoice: Invoice) -> dict[str, Any]:
    def amount(minor: int) -> str:
        digits = exponent_of(invoice.currency)
        return _number(f"{Decimal(minor).scaleb(-digits):f}", digits)

    return {
        "name": row["name"],
        "sku": row["sku"],
        "cells": [
            str(row["quantity"]) if row["line_id"] else "",
            _number(row["unit_price"]) if row["unit_price"] else "",
            amount(row["discount"]) if row["discount"] else "",
            amount(row["net"]),
            " + ".join(f"{_number(tax['percent'])} %" for tax in row["taxes"]),
            amount(sum(tax["amount"] for tax in row["taxes"])),
        ],
    }


def _rate(rate: dict[str, Any], invoice: Invoice) -> list[str]:
    label = _("Tax at %(percent)s %% on %(net)s") % {
        "percent": _number(rate["percent"]),
        "net": format_money(invoice.money(rate["net"])),
    }
    reason = rate.get("reason")  # absent in what was issued before there were reasons
    return [f"{label}: {reason}" if reason else label, format_money(invoice.money(rate["tax"]))]


def _sum_label(invoice: Invoice) -> str:
    return _("Total credited") if invoice.kind == InvoiceKind.CREDIT_NOTE else _("Total")


def _footer(seller: dict[str, Any]) -> str:
    return " · ".join(filter(None, [seller["name"], seller["register"], seller["contact"]]))


def _number(text: str, digits: int | None = None) -> str:
    """As the active language writes it."""
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    places = digits if digits is not None else -exponent if isinstance(exponent, int) else 0
    return formats.number_format(number, places, use_l10n=True, force_grouping=True)


def _instant(text: str | None) -> str:
    return format_instant(datetime.datetime.fromisoformat(text)) if text else ""


def _date(text: str | None) -> str:
    if not text:
        return ""
    return formats.date_format(datetime.date.fromisoformat(text), "DATE_FORMAT")

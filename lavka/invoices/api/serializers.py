"""Invoices and credit notes on the wire."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.invoices.models import Invoice
from lavka.invoices.rules import SHIPPING, Cause, InvoiceKind
from lavka.web.serializers import MoneyOutput

REASON = "Why a rate of 0 % takes nothing; empty where nobody has said it."


class CorrectedInvoiceOutput(Serializer):
    """An invoice that a credit note corrects."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    issued_on = serializers.DateField()


class InvoiceOutput(Serializer):
    """An invoice or a credit note, as it was issued; amounts of a credit note are taken back."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=InvoiceKind.choices)
    number = serializers.CharField()
    order_id = serializers.UUIDField()
    cause = serializers.ChoiceField(choices=Cause.choices)
    corrects = CorrectedInvoiceOutput(
        many=True,
        help_text="The invoices whose rows a credit note takes back, the one of which it takes "
        "most first; none for an invoice.",
    )
    net = MoneyOutput()
    tax = MoneyOutput()
    total = MoneyOutput()
    issued_on = serializers.DateField()
    issued_at = serializers.DateTimeField()


class InvoicesOutput(Serializer):
    """An order's documents, the first one first."""

    items = InvoiceOutput(many=True)


class InvoiceTaxOutput(Serializer):
    """A tax on a row."""

    percent = serializers.CharField()
    reason = serializers.CharField(help_text=REASON)
    amount = MoneyOutput()


class InvoiceRowOutput(Serializer):
    """Goods, shipping or a sum; `line_id` is null for what is no line of the order."""

    line_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.CharField(help_text="Without tax, in major units; empty for a sum.")
    discount = MoneyOutput(help_text="Without tax.")
    net = MoneyOutput()
    taxes = InvoiceTaxOutput(many=True)


class RateOutput(Serializer):
    """What is taxed at one rate, and its tax."""

    percent = serializers.CharField()
    reason = serializers.CharField(help_text=REASON)
    net = MoneyOutput()
    tax = MoneyOutput()


class SellerOutput(Serializer):
    """Who sold."""

    name = serializers.CharField()
    address = serializers.ListField(child=serializers.CharField())
    vat_number = serializers.CharField()
    tax_number = serializers.CharField()
    register = serializers.CharField()
    contact = serializers.CharField()


class InvoiceCustomerOutput(Serializer):
    """Who bought."""

    address = serializers.ListField(child=serializers.CharField())
    email = serializers.EmailField()
    vat_number = serializers.CharField()


class InvoiceContentOutput(InvoiceOutput):
    """A document with all that it says."""

    seller = SellerOutput()
    customer = InvoiceCustomerOutput()
    delivery = serializers.ListField(child=serializers.CharField())
    order_number = serializers.CharField()
    supplied_on = serializers.DateField(allow_null=True)
    paid_on = serializers.DateField(allow_null=True)
    payment_due_at = serializers.DateTimeField(
        allow_null=True,
        help_text="Until when an order that waited for its money was to be paid.",
    )
    rows = InvoiceRowOutput(many=True)
    rates = RateOutput(many=True)


def invoice_json(invoice: Invoice) -> dict[str, Any]:
    """`InvoiceOutput`."""
    return {
        "id": invoice.pk,
        "kind": invoice.kind,
        "number": invoice.name,
        "order_id": invoice.order_id,
        "cause": invoice.cause,
        "corrects": [
            {"id": each["id"], "number": each["name"], "issued_on": each["issued_on"]}
            for each in invoice.corrects
        ],
        "net": invoice.money(invoice.net_amount).as_json(),
        "tax": invoice.money(invoice.tax_amount).as_json(),
        "total": invoice.money(invoice.total_amount).as_json(),
        "issued_on": invoice.content["issued_on"],
        "issued_at": invoice.issued_at,
    }


def invoice_content_json(invoice: Invoice) -> dict[str, Any]:
    """`InvoiceContentOutput`."""
    content = invoice.content
    same = ("seller", "customer", "delivery", "order_number", "supplied_on", "paid_on")
    return (
        invoice_json(invoice)
        | {name: content[name] for name in same}
        | {
            "payment_due_at": content.get("payment_due_at"),
            "rows": [_row_json(invoice, row) for row in content["rows"]],
            "rates": [
                {
                    "percent": rate["percent"],
                    "reason": rate.get("reason", ""),
                    "net": invoice.money(rate["net"]).as_json(),
                    "tax": invoice.money(rate["tax"]).as_json(),
                }
                for rate in content["rates"]
            ],
        }
    )


def _row_json(invoice: Invoice, row: dict[str, Any]) -> dict[str, Any]:
    is_line = row["line_id"] not in {"", SHIPPING}
    return {
        "line_id": row["line_id"] if is_line else None,
        "sku": row["sku"],
        "name": row["name"],
        "quantity": row["quantity"],
        "unit_price": row["unit_price"],
        "discount": invoice.money(row["discount"]).as_json(),
        "net": invoice.money(row["net"]).as_json(),
        "taxes": [
            {
                "percent": tax["percent"],
                "reason": tax.get("reason", ""),
                "amount": invoice.money(tax["amount"]).as_json(),
            }
            for tax in row["taxes"]
        ],
    }

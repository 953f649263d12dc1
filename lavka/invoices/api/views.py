"""Customers, and guests with their order's key, get their invoices and credit notes."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.invoices import selectors, services
from lavka.invoices.api.serializers import InvoicesOutput, invoice_json
from lavka.invoices.models import Invoice
from lavka.invoices.typesetting import pdf_of
from lavka.orders.api.views import KEY, OneOrderView, reader_of
from lavka.orders.selectors import order_for
from lavka.web import caching
from lavka.web.schema import operation
from lavka.web.views import in_thread

PDF = {(200, "application/pdf"): OpenApiTypes.BINARY}


class InvoiceView(OneOrderView):
    """The invoice, for the order's customer or for whoever has its key."""

    @operation(
        "get_invoice",
        "Get an order's invoice",
        parameters=[KEY],
        responses=PDF,
        description="A PDF in the language of the order: what was sold when it was placed. Later "
        "changes and refunds are further documents. None for an order that was cancelled at once.",
    )
    async def get(self, request: Request, order_id: UUID) -> HttpResponse:
        user_id, key = reader_of(request)

        def found() -> tuple[str, bytes]:
            order_for(order_id, customer_id=user_id, key=key)
            return printed(sale_of(order_id))

        return pdf(request._request, *await in_thread(found))


class OrderInvoicesView(OneOrderView):
    """Every document of an order."""

    @operation(
        "list_order_invoices",
        "List an order's invoices and credit notes",
        parameters=[KEY],
        responses=InvoicesOutput,
    )
    async def get(self, request: Request, order_id: UUID) -> Response:
        user_id, key = reader_of(request)

        def found() -> dict[str, Any]:
            order_for(order_id, customer_id=user_id, key=key)
            return {"items": [invoice_json(each) for each in selectors.invoices_of(order_id)]}

        return Response(await in_thread(found))


class OrderInvoicePdfView(OneOrderView):
    """One document of an order."""

    @operation(
        "get_order_invoice_pdf",
        "Get an invoice or a credit note as PDF",
        parameters=[KEY],
        responses=PDF,
    )
    async def get(self, request: Request, order_id: UUID, invoice_id: UUID) -> HttpResponse:
        user_id, key = reader_of(request)

        def found() -> tuple[str, bytes]:
            order_for(order_id, customer_id=user_id, key=key)
            return printed(selectors.invoices_of(order_id).get(pk=invoice_id))

        return pdf(request._request, *await in_thread(found))


def sale_of(order_id: UUID) -> Invoice:
    """The invoice of a placed order, issued now if no worker was quicker.

    Raises: Invoice.DoesNotExist.
    """
    try:
        return selectors.invoice_of_sale(order_id)
    except Invoice.DoesNotExist:
        services.issue_invoices(order_id=order_id, at=timezone.now())
        return selectors.invoice_of_sale(order_id)


def printed(invoice: Invoice) -> tuple[str, bytes]:
    """Its number and its PDF."""
    return invoice.name, pdf_of(invoice)


def pdf(request: HttpRequest, name: str, content: bytes) -> HttpResponse:
    """The answer with a document."""
    response = HttpResponse(content, content_type="application/pdf")
    safe = "".join(each if each.isalnum() and each.isascii() else "-" for each in name)
    response["Content-Disposition"] = f'inline; filename="{safe}.pdf"'
    return caching.with_etag(request, response)

"""The staff's invoices and credit notes."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.invoices import selectors
from lavka.invoices.api.serializers import (
    InvoiceContentOutput,
    InvoiceOutput,
    invoice_content_json,
    invoice_json,
)
from lavka.invoices.api.views import PDF, pdf, printed, sale_of
from lavka.invoices.rules import InvoiceKind
from lavka.orders.api.manage import QUERY
from lavka.orders.selectors import all_orders, ids_matching
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

KIND = OpenApiParameter("kind", str, enum=InvoiceKind.values)
ORDER = OpenApiParameter("order", OpenApiTypes.UUID, description="Only this order's.")
NUMBER = text_parameter("number", "Only the one of this number.", max_length=40)


class ManageInvoiceOfOrderView(StaffView):
    """The invoice of an order, for the staff."""

    rights = {"GET": "orders.view_order"}

    @operation(
        "get_any_invoice",
        "Get the invoice of a customer's order",
        responses=PDF,
    )
    async def get(self, request: Request, order_id: UUID) -> HttpResponse:
        def found() -> tuple[str, bytes]:
            all_orders().get(pk=order_id)
            return printed(sale_of(order_id))

        return pdf(request._request, *await in_thread(found))


class ManageInvoicesView(StaffView):
    """Every document, newest first."""

    rights = {"GET": "orders.view_order"}

    @operation(
        "list_invoices",
        "List invoices and credit notes",
        parameters=[*PAGE_PARAMETERS, KIND, ORDER, NUMBER, QUERY],
        responses=page_output(InvoiceOutput, "InvoicePage"),
    )
    async def get(self, request: Request) -> Response:
        query, wanted = request.query_params, PageRequest.of(request.query_params)
        kind = parameters.choice(query, "kind", InvoiceKind.values)
        order_id = parameters.uuid(query, "order")
        number, text = query.get("number", ""), query.get("q", "")

        def page() -> dict[str, object]:
            invoices = selectors.invoices()
            if kind:
                invoices = invoices.filter(kind=kind)
            if order_id:
                invoices = invoices.filter(order_id=order_id)
            if text.strip():
                invoices = invoices.filter(order_id__in=ids_matching(text))
            if number:
                invoices = invoices.filter(name=number)
            return page_of(
                invoices, order=("-issued_at", "-id"), wanted=wanted, render=invoice_json
            )

        return Response(await in_thread(page))


class ManageInvoiceView(StaffView):
    """One document."""

    rights = {"GET": "orders.view_order"}

    @operation(
        "get_invoice_content",
        "Get an invoice or a credit note with all that it says",
        responses=InvoiceContentOutput,
    )
    async def get(self, request: Request, invoice_id: UUID) -> Response:
        def found() -> dict[str, Any]:
            return invoice_content_json(selectors.invoices().get(pk=invoice_id))

        return Response(await in_thread(found))


class ManageInvoicePdfView(StaffView):
    """One document, to be printed."""

    rights = {"GET": "orders.view_order"}

    @operation("get_invoice_pdf", "Get any invoice or credit note as PDF", responses=PDF)
    async def get(self, request: Request, invoice_id: UUID) -> HttpResponse:
        def found() -> tuple[str, bytes]:
            return printed(selectors.invoices().get(pk=invoice_id))

        return pdf(request._request, *await in_thread(found))

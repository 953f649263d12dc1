"""The staff's pages for invoices and credit notes: they look, and print."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from lavka.invoices.api.views import pdf, printed
from lavka.invoices.models import Invoice
from lavka.kernel.admin import ModelAdmin, Untouchable, money_column


@admin.register(Invoice)
class InvoiceAdmin(Untouchable, ModelAdmin):
    """Documents, the newest first; none of them ever changes."""

    net = money_column(Invoice, "net_amount")
    tax = money_column(Invoice, "tax_amount")
    total = money_column(Invoice, "total_amount")
    list_display = ["name", "kind", "order", "cause", "net", "tax", "total", "issued_at", "printed"]
    list_filter = ["kind", "cause", "issued_at"]
    list_select_related = ["order"]
    search_fields = ["=name", "=order__number", "order__email"]
    date_hierarchy = "issued_at"
    fields = [
        "name", "kind", "order", "corrected", "cause", "net", "tax", "total", "issued_at",
        "printed", "content",
    ]  # fmt: skip
    readonly_fields = fields
    show_full_result_count = False

    @admin.display(description=_("corrected invoices"))
    def corrected(self, invoice: Invoice) -> str:
        """The way to each invoice that a credit note corrects."""
        pages = [
            (reverse("admin:invoices_invoice_change", args=[each["id"]]), each["name"])
            for each in invoice.corrects
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', pages) or "-"

    @admin.display(description=_("PDF"))
    def printed(self, invoice: Invoice) -> str:
        """The way to the PDF."""
        page = reverse("admin:invoices_invoice_pdf", args=[invoice.pk])
        return format_html('<a href="{}">PDF</a>', page)

    def get_urls(self) -> list[Any]:
        """Also that of a PDF."""
        pdf_page = self.admin_site.admin_view(self.pdf)
        own = [path("<uuid:invoice_id>/pdf/", pdf_page, name="invoices_invoice_pdf")]
        return [*own, *super().get_urls()]

    def pdf(self, request: HttpRequest, invoice_id: UUID) -> HttpResponse:
        """The document, for whoever may look at documents."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return pdf(request, *printed(get_object_or_404(Invoice, pk=invoice_id)))

"""Invoices below /api/v1/."""

from django.urls import path

from lavka.invoices.api import manage, views

OWN = "orders/<uuid:order_id>/invoices/"
MANAGED = "manage/invoices/"

urlpatterns = [
    path("orders/<uuid:order_id>/invoice/", views.InvoiceView.as_view()),
    path(OWN, views.OrderInvoicesView.as_view()),
    path(f"{OWN}<uuid:invoice_id>/pdf/", views.OrderInvoicePdfView.as_view()),
    path("manage/orders/<uuid:order_id>/invoice/", manage.ManageInvoiceOfOrderView.as_view()),
    path(MANAGED, manage.ManageInvoicesView.as_view()),
    path(f"{MANAGED}<uuid:invoice_id>/", manage.ManageInvoiceView.as_view()),
    path(f"{MANAGED}<uuid:invoice_id>/pdf/", manage.ManageInvoicePdfView.as_view()),
]

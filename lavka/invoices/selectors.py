"""How invoices and credit notes are read."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, QuerySet

from lavka.invoices.models import Invoice
from lavka.invoices.rules import Cause, InvoiceKind


def invoices() -> QuerySet[Invoice]:
    """Every document with its order: 1 query."""
    return Invoice.objects.select_related("order").fetch_mode(FETCH_RAISE)


def invoices_of(order_id: UUID) -> QuerySet[Invoice]:
    """An order's documents, the first one first."""
    return invoices().filter(order_id=order_id).order_by("id")


def invoice_of_sale(order_id: UUID) -> Invoice:
    """The invoice that was issued when the order was placed; raises Invoice.DoesNotExist."""
    return invoices_of(order_id).get(cause=Cause.SALE)


def credit_notes_since(order_id: UUID, since: datetime.datetime) -> list[Invoice]:
    """The order's credit notes from then on."""
    return list(invoices_of(order_id).filter(kind=InvoiceKind.CREDIT_NOTE, issued_at__gte=since))

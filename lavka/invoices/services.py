"""Issuing documents: what is due is found and numbered under the lock of the order."""

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from lavka.invoices import rules, sheets
from lavka.invoices.corrections import corrected_positions
from lavka.invoices.models import Invoice
from lavka.invoices.rules import Document, InvoiceKind, Row
from lavka.invoices.selectors import invoices_of
from lavka.invoices.statement import account_of
from lavka.kernel.conf import options
from lavka.orders.models import Order
from lavka.orders.services import next_number

# Longer than any shop sells; numbers keep their order as text.
NUMBER_DIGITS = 6


@transaction.atomic
def issue_invoices(*, order_id: UUID, at: datetime.datetime) -> list[Invoice]:
    """Issue what an order's documents do not show yet: its sale, changes, refunds, cancellation.

    Called for whatever happened, twice or late, it brings the documents in line with the order.
    Returns the new ones: none for a draft, and none for an order that was cancelled before its
    first invoice.
    Raises: Order.DoesNotExist.
    Locks: the order; last of all the series of numbers, until the caller's transaction ends, so
    numbers have no gaps and come in the order of the commits.
    """
    order = Order.objects.locked().get(pk=order_id)
    if not order.is_placed:
        return []
    invoices = list(invoices_of(order_id))
    earlier = [each.document for each in invoices]
    due = rules.documents_due(account_of(order), earlier)
    corrected = corrected_positions([*earlier, *due])[len(earlier) :]
    for document, positions in zip(due, corrected, strict=True):
        invoices.append(_issue(order, document, [invoices[each] for each in positions], at))
    return invoices[len(earlier) :]


def _issue(
    order: Order, document: Document, corrected: Sequence[Invoice], at: datetime.datetime
) -> Invoice:
    is_credit = document.kind == InvoiceKind.CREDIT_NOTE
    number = next_number(f"{document.kind}s")
    newest = Invoice.objects.filter(kind=document.kind, number=number - 1).first()
    prefix = options.credit_note_prefix if is_credit else options.invoice_prefix
    issued = Invoice(
        order=order,
        kind=document.kind,
        number=number,
        name=f"{prefix}{number:0{NUMBER_DIGITS}}",
        credited=corrected[0] if is_credit else None,
        cause=document.cause,
        source=document.source,
        currency=order.currency,
        net_amount=sum(row.net for row in document.rows),
        tax_amount=sum(row.tax for row in document.rows),
        total_amount=document.gross,
        language=order.language,
        # A clock that was set back, or a caller who waited, must not turn dates around.
        issued_at=max(at, newest.issued_at) if newest else at,
    )
    issued.content = sheets.content_of(issued, _named(document.rows, issued), corrected)
    issued.sheet = sheets.sheet_of(issued)
    issued.save(force_insert=True)
    return issued


def _named(rows: Sequence[Row], invoice: Invoice) -> Sequence[Row]:
    """With words for rows that are sums."""
    return [row if row.name else sheets.named(row, invoice) for row in rows]

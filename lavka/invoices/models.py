"""Invoices and credit notes: each is issued once and never changes."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.invoices.rules import Cause, CorrectedInvoice, Document, InvoiceKind, Row
from lavka.kernel.money import Money


class Invoice(models.Model):
    """An invoice or a credit note; a trigger refuses to change or delete one.

    `content` is all that it says, for programs; `sheet` is what the typesetter prints, word for
    word, by the template of its `layout`. Amounts are in minor units and never below zero.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="invoices", verbose_name=_("order")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=InvoiceKind)
    number = models.BigIntegerField(pgettext_lazy("of an invoice", "number in its series"))
    name = models.CharField(pgettext_lazy("of an invoice", "number"), max_length=40, unique=True)
    credited = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="credit_notes",
        verbose_name=_("invoice that it corrects"),
    )  # fmt: skip
    cause = models.CharField(_("cause"), max_length=20, choices=Cause)
    source = models.CharField(max_length=400, blank=True, default="", editable=False)
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    net_amount = models.BigIntegerField(_("without tax"))
    tax_amount = models.BigIntegerField(_("tax"))
    total_amount = models.BigIntegerField(_("total"))
    language = models.CharField(_("language"), max_length=10)
    issued_at = models.DateTimeField(_("issued at"))
    layout = models.PositiveSmallIntegerField(default=1, editable=False)
    content: Any = models.JSONField(_("content"))
    sheet: Any = models.JSONField(editable=False)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-issued_at", "-id"], name="invoice_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["order"], name="invoice_one_sale_per_order", condition=Q(cause="sale")
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="invoice_number_positive"),
            models.CheckConstraint(
                condition=Q(kind="invoice", credited=None)
                | Q(kind="credit_note", credited__isnull=False),
                name="invoice_credit_note_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(total_amount__gte=0, total_amount=F("net_amount") + F("tax_amount")),
                name="invoice_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """As it is printed: `Invoice № INV-000001`, in the language of the order."""
        return str(self.sheet["title"])

    def money(self, amount: int) -> Money:
        """An amount in the document's currency."""
        return Money(amount, self.currency)

    @property
    def corrects(self) -> list[CorrectedInvoice]:
        """The invoices that a credit note corrects, `credited` first; none for an invoice.

        Credit notes that name one invoice by number and day were issued before there were lists.
        """
        named = self.content["corrects"]
        if isinstance(named, dict):
            name, issued_on = named["name"], named["issued_on"]
            return [{"id": str(self.credited_id), "name": name, "issued_on": issued_on}]
        return named or []

    @property
    def document(self) -> Document:
        """What the rules look at."""
        return Document(
            kind=InvoiceKind(self.kind),
            cause=Cause(self.cause),
            source=self.source,
            rows=[Row(**row) for row in self.content["rows"]],
        )

"""Invoices and credit notes."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    """Invoices and credit notes."""

    name = "lavka.invoices"
    verbose_name = _("Invoices")

"""Customers, staff and their sessions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Customers, staff and their sessions."""

    name = "lavka.accounts"
    verbose_name = _("Accounts")

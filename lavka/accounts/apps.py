"""Customers, staff and their sessions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Customers, staff and their sessions."""

    name = "lavka.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Tell staff views where to look up API keys."""
        from lavka.accounts.api.key_directory import Keys
        from lavka.web import api_keys

        api_keys.register_directory(Keys())

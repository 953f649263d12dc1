"""Customers, staff and their sessions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Customers, staff and their sessions."""

    name = "lavka.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Tell staff views where to look up API keys, and begin a session at each sign-in."""
        from django.contrib.auth.signals import user_logged_in

        from lavka.accounts.admin_sessions import begin_session
        from lavka.accounts.api.key_directory import Keys
        from lavka.web import api_keys

        api_keys.register_directory(Keys())
        user_logged_in.connect(begin_session)

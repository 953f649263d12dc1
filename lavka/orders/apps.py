"""Orders, their lines and their history."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, their lines and their history."""

    name = "lavka.orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        """Keep the files of pictures that order lines show."""
        from lavka.catalog import services as catalog
        from lavka.orders import selectors

        catalog.file_users.append(selectors.is_picture_shown)

"""Orders, their lines and their history."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, their lines and their history."""

    name = "lavka.orders"
    verbose_name = _("Orders")

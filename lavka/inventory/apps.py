"""What there is, what is promised, and where it lies."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    """What there is, what is promised, and where it lies."""

    name = "lavka.inventory"
    verbose_name = _("Stock")

"""What the shop sells."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    """What the shop sells."""

    name = "lavka.catalog"
    verbose_name = _("Catalogue")

"""Files in: products and reviews from elsewhere."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    """Files in: products and reviews from elsewhere."""

    name = "lavka.imports"
    verbose_name = _("Imports")

"""What the state takes."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TaxConfig(AppConfig):
    """What the state takes."""

    name = "lavka.tax"
    verbose_name = _("Tax")

"""What customers are about to buy."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CartsConfig(AppConfig):
    """What customers are about to buy."""

    name = "lavka.carts"
    verbose_name = _("Carts")

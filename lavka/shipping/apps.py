"""What it costs to send things."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShippingConfig(AppConfig):
    """What it costs to send things."""

    name = "lavka.shipping"
    verbose_name = _("Shipping")

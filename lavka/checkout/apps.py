"""From cart to order."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CheckoutConfig(AppConfig):
    """From cart to order."""

    name = "lavka.checkout"
    verbose_name = _("Checkout")

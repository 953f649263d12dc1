"""Shipments and returns."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FulfilmentConfig(AppConfig):
    """Shipments and returns."""

    name = "lavka.fulfilment"
    verbose_name = _("Fulfilment")

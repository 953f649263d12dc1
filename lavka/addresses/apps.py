"""Postal addresses: what each country asks of one, and how it is written there."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AddressesConfig(AppConfig):
    """It has no tables: the rules come with a package, addresses are kept by other apps."""

    name = "lavka.addresses"
    verbose_name = _("Postal addresses")

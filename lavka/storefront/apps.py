"""Pages for customers, where links in mails lead while there is no shop front."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorefrontConfig(AppConfig):
    """It has no tables: it shows what the apps below know, and calls their services."""

    name = "lavka.storefront"
    verbose_name = _("Pages for customers")

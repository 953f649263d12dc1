"""The shop window: cards and product pages, read by everyone."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingConfig(AppConfig):
    """The shop window: cards and product pages, read by everyone."""

    name = "lavka.listing"
    verbose_name = _("Shop window")

"""What customers wish for, and what they wait for."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WishlistsConfig(AppConfig):
    """What customers wish for, and what they wait for."""

    name = "lavka.wishlists"
    verbose_name = _("Wishlists")

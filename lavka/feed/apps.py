"""The feed: events told to staff and other programs, page by page or as they come."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedConfig(AppConfig):
    """It has no tables: it reads the log."""

    name = "lavka.feed"
    verbose_name = _("Event feed")

"""Mail that follows from events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Mail that follows from events."""

    name = "lavka.notifications"
    verbose_name = _("Mail")

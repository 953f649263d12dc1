"""Events told to other programs over HTTP."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    """Events told to other programs over HTTP."""

    name = "lavka.webhooks"
    verbose_name = _("Webhooks")

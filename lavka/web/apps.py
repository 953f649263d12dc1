"""How requests come in."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    """Views, problems, pages, limits: HTTP without shop words."""

    name = "lavka.web"
    verbose_name = _("Requests")

    def ready(self) -> None:
        """Register the schema's extensions and the system checks."""
        from lavka.web import checks, schema  # noqa: F401 - register themselves on import

"""The kernel finds every room's event wiring when the apps are ready."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    """Money, errors, events; no shop words."""

    name = "lavka.kernel"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import each room's `events.py`, `signals.py`, `handlers.py`, `links.py`, `checks.py`."""
        autodiscover_modules("events", "signals", "handlers", "links", "checks")

"""A payment provider to try the shop with: it has books of its own and moves no money."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SandboxConfig(AppConfig):
    """A payment provider to try the shop with: it has books of its own and moves no money."""

    name = "lavka.payments.sandbox"
    verbose_name = _("Sandbox provider")

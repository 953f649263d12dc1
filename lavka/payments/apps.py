"""Money: asked for, taken, given back, and written down."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    """Money: asked for, taken, given back, and written down."""

    name = "lavka.payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        """Register the system checks."""
        from lavka.payments import checks  # noqa: F401 - registers itself on import

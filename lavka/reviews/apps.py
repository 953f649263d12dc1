"""What customers say, and the averages of it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What customers say, and the averages of it."""

    name = "lavka.reviews"
    verbose_name = _("Reviews")

"""Files in: products and reviews from elsewhere."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Files in: products and reviews from elsewhere."""

    name = "lavka.imports"

"""A stocked shop to look at, and a large one to measure."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """A stocked shop to look at, and a large one to measure."""

    name = "lavka.demo"

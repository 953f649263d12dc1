"""The probe's views behind the shop's own ASGI application, for a Uvicorn of their own."""

from django.conf import settings

from config.asgi import application

settings.ROOT_URLCONF = "tests.web.probe"

__all__ = ["application"]

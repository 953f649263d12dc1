"""The ASGI application that Gunicorn's Uvicorn workers serve."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_asgi_application()

from django.conf import settings  # noqa: E402 - read after the settings module is named

from lavka.web.bodies import BoundedBodies  # noqa: E402
from lavka.web.entrance import Entrance  # noqa: E402
from lavka.web.handler import FastLane  # noqa: E402

application = Entrance(
    fast_lane=BoundedBodies(FastLane(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    everything_else=BoundedBodies(django_application, settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
)

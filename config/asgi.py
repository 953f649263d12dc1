"""The ASGI application that Gunicorn's Uvicorn workers serve."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_asgi_application()

from lavka.web.bodies import BoundedBodies  # noqa: E402 - after the settings module is named
from lavka.web.entrance import Entrance, limit_of_form  # noqa: E402
from lavka.web.handler import FastLane  # noqa: E402

application = Entrance(
    fast_lane=FastLane(),
    everything_else=BoundedBodies(django_application, limit_of_form),
)

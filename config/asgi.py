"""The ASGI application that Gunicorn's Uvicorn workers serve."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup(set_prefix=False)

from lavka.web.bodies import BoundedBodies  # noqa: E402 - only after setup()
from lavka.web.entrance import Entrance, limit_of_form  # noqa: E402 - only after setup()
from lavka.web.handler import FastLane, PageHandler  # noqa: E402 - only after setup()

application = Entrance(
    fast_lane=FastLane(),
    everything_else=BoundedBodies(PageHandler(), limit_of_form),
)

"""A Django contender under ASGI, as `startproject` writes it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.contenders.django_settings")
application = get_asgi_application()

"""A Django contender under WSGI, as `startproject` writes it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.contenders.django_settings")
application = get_wsgi_application()

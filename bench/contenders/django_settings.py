"""Settings of the contenders on Django, as `startproject` writes them, for an API alone.

`BENCH_URLS` names the contender's module of paths. The tables are the shop's own, so are the
models; what reads them and how it is put on the wire is the contender's.
"""

import os
from datetime import timedelta

DEBUG = False
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = os.environ["BENCH_URLS"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "tree_queries",
    "lavka.kernel",
    "lavka.accounts",
    "lavka.catalog",
    # Reviews know whether their author bought the product.
    "lavka.orders",
    "lavka.reviews",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["POSTGRES_HOST"],
        "PORT": os.environ["POSTGRES_PORT"],
        "USER": os.environ["POSTGRES_USER"],
        "PASSWORD": os.environ["POSTGRES_PASSWORD"],
        "NAME": os.environ["POSTGRES_DB"],
        # Waits as long as a client would: a connection per request would exhaust PostgreSQL.
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": int(os.environ["BENCH_POOL"]), "timeout": 60}
        },
    }
}
AUTH_USER_MODEL = "accounts.User"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "USER_ID_CLAIM": "sub",
    "SIGNING_KEY": os.environ["TOKEN_KEY"],
    "ISSUER": "lavka",
    "AUDIENCE": "lavka.api",
}
CURRENCY = os.environ["LAVKA_CURRENCY"]
LAVKA = {"CURRENCY": CURRENCY}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
}
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

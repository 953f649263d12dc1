"""The one settings file: everything that differs between machines comes from the environment.

Tables that differ nowhere stand beside it: `tasks.py` and `schema.py`.

Sources, first one wins: the process environment, `.env`, and `.lavka/server.env`, in which
`lavka up` notes where the servers run that it started itself.
"""

import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.schema import SCHEMA
from config.tasks import ROUTES, SCHEDULE
from lavka.kernel import keys, liveness, queues
from lavka.web import logging as web_logging

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
STATE_DIR = Path(env.str("LAVKA_STATE", str(BASE_DIR / ".lavka")))
for source in (
    Path(env.str("LAVKA_ENV_FILE", str(BASE_DIR / ".env"))),
    STATE_DIR / "server.env",
):
    if source.is_file():
        env.read_env(source)

# --- what kind of process ---------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
EXAMPLE_SECRET_KEY = "change-me-before-you-set-DEBUG-to-0"  # noqa: S105 - refused below
SECRET_KEY = env.str("SECRET_KEY", "")
if not DEBUG and SECRET_KEY in {"", EXAMPLE_SECRET_KEY}:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. With DEBUG=0 the shop needs a secret of its own: "
        "put 50 random characters into SECRET_KEY, in .env or in the environment."
    )
SECRET_KEY = SECRET_KEY or EXAMPLE_SECRET_KEY
# Secrets before this one, for a while after it was changed: what they have signed stays good.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# A purpose may have secrets of its own, in place of SECRET_KEY (lavka/kernel/keys.py).
KEYS = {
    purpose: env.list(f"LAVKA_KEY_{purpose.partition('.')[0].upper()}", default=[])
    for purpose in keys.PURPOSES
}
# Celery forks, and a pool's threads do not survive a fork: its processes keep one connection each.
IS_CELERY = Path(sys.argv[0]).name == "celery"

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "backend"])
if DEBUG:
    ALLOWED_HOSTS = ["*"]

# --- the parts --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tree_queries",
    "django_countries",
    "lavka.kernel",
    "lavka.web",
    "lavka.addresses",
    "lavka.accounts",
    "lavka.catalog",
    "lavka.inventory",
    "lavka.tax",
    "lavka.shipping",
    "lavka.carts",
    "lavka.orders",
    "lavka.payments",
    "lavka.payments.sandbox",
    "lavka.fulfilment",
    "lavka.checkout",
    "lavka.invoices",
    "lavka.reviews",
    "lavka.wishlists",
    "lavka.listing",
    "lavka.feed",
    "lavka.notifications",
    "lavka.webhooks",
    "lavka.imports",
    "lavka.storefront",
    "lavka.demo",
]
MIDDLEWARE = [
    "lavka.web.middleware.request_context",
    "lavka.web.middleware.page_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lavka.web.middleware.api_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "lavka.web.middleware.hidden_origin",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lavka.accounts.middleware.device_cookie",
    "lavka.web.middleware.small_forms",
    "django.middleware.csrf.CsrfViewMiddleware",
    "lavka.web.middleware.staff_acts",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before those of the apps, so that the shop can say it better than the admin's theme.
        "DIRS": [BASE_DIR / "lavka/web/templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database, broker, counters ---------------------------------------------------------------

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": env.str("POSTGRES_HOST", "127.0.0.1"),
        "PORT": env.str("POSTGRES_PORT", "5432"),
        "USER": env.str("POSTGRES_USER", "lavka"),
        "PASSWORD": env.str("POSTGRES_PASSWORD", ""),
        "NAME": env.str("POSTGRES_DB", "lavka"),
        "CONN_MAX_AGE": None if IS_CELERY else 0,
        # Without it a restarted database costs one failed request per connection it had cut.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # The server keeps the plans of what a connection sends again and again.
            "server_side_binding": True,
            "prepare_threshold": 5,
            **(
                {}
                if IS_CELERY
                else {
                    "pool": {
                        "min_size": 1,
                        "max_size": env.int("LAVKA_DB_POOL", 8),
                        "timeout": 5,
                        "check": liveness.check,
                        # Not the default five minutes of ever longer pauses between attempts.
                        "reconnect_timeout": 5,
                    }
                }
            ),
        },
    }
}
# Reads on the event loop have connections of their own (lavka/kernel/database.py).
READ_CONNECTIONS = env.int("LAVKA_READ_POOL", 4)
READ_WAIT_SECONDS = 5.0
# As many as Django has connections: a thread that runs never waits for one.
WORKER_THREADS = env.int("LAVKA_DB_POOL", 8)
WORKER_WAIT_SECONDS = 5.0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_URL = env.str("VALKEY_URL", "redis://127.0.0.1:6379/0")
if env.str("RABBITMQ_HOST", ""):
    CELERY_BROKER_URL = "amqp://{}:{}@{}:{}//".format(
        quote(env.str("RABBITMQ_DEFAULT_USER", "guest"), safe=""),
        quote(env.str("RABBITMQ_DEFAULT_PASSWORD", "guest"), safe=""),
        env.str("RABBITMQ_HOST"),
        env.int("RABBITMQ_PORT", 5672),
    )
    CELERY_BROKER_TRANSPORT_OPTIONS = queues.AMQP_OPTIONS
else:
    CELERY_BROKER_URL = VALKEY_URL.replace("unix://", "redis+socket://")
    # A message whose worker was killed comes back after this many seconds.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
# Queues by purpose, the same with either broker: what is slow keeps nothing else waiting. A worker
# takes all of them unless it is started with `-Q`.
CELERY_TASK_QUEUES = [queues.queue(purpose) for purpose in queues.PURPOSES]
CELERY_TASK_DEFAULT_QUEUE = "lavka.default"
CELERY_TASK_DEFAULT_EXCHANGE = "lavka"
CELERY_TASK_DEFAULT_EXCHANGE_TYPE = "topic"  # knows delays
CELERY_TASK_DEFAULT_ROUTING_KEY = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = ROUTES
CELERY_WORKER_CONSUMER = "lavka.kernel.delivery:Consumer"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 8
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_HEARTBEAT = 10
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- people -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["lavka.accounts.backends.LockingBackend"]
PASSWORD_HASHERS = [
    "lavka.accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "lavka.accounts.validators.VisibleCharactersValidator"},
    {"NAME": "lavka.accounts.validators.MaximumLengthValidator"},
    {"NAME": "lavka.accounts.validators.GuessedWordsValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "USER_ID_CLAIM": "sub",
    "ALGORITHM": "HS256",
    # Of SimpleJWT's own tokens; the shop's read what earlier keys have signed as well.
    "SIGNING_KEY": keys.derive((KEYS.get(keys.TOKENS) or [SECRET_KEY])[0], keys.TOKENS).hex(),
    "ISSUER": "lavka",
    "AUDIENCE": "lavka.api",
}

# --- the wire ---------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "lavka.web.problems.exception_handler",
    "DEFAULT_AUTHENTICATION_CLASSES": ["lavka.web.tokens.BearerAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["lavka.web.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["lavka.web.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "lavka.web.renderers.OneFormat",
    "DEFAULT_SCHEMA_CLASS": "lavka.web.schema.Schema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = SCHEMA
# What idempotency and Django may hold of a body in memory; an upload with its key is the largest.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
APPEND_SLASH = True
# Shop fronts in a browser, from other origins; callers are known by their token, not by cookies.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_HEADERS = [
    *("accept-language", "authorization", "content-type", "idempotency-key"),
    *("if-match", "if-none-match", "x-request-id"),
]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"),
    *("Idempotent-Replayed", "X-Request-ID"),
]
# What stands before the API (lavka/web/handler.py): async-native, or the start is refused.
FAST_LANE_MIDDLEWARE = [
    "lavka.web.middleware.request_context",
    "lavka.web.middleware.guard",
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "lavka.web.middleware.api_headers",
]

# --- languages, time --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "lavka" / "locale", BASE_DIR / "lavka" / "locale_unfold"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(STATE_DIR / "static")))
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(STATE_DIR / "media")))
S3_BUCKET = env.str("S3_BUCKET", "")
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", None),
            "querystring_auth": False,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# --- mail -------------------------------------------------------------------------------------

# smtp+tls://user:password@mail.example.com:587; a provider that django-anymail knows, with its
# options: anymail://postmark?server_token=secret; or "files": each mail a file in .lavka/mail/.
EMAIL_URL = env.str("EMAIL_URL", "") or ("files" if DEBUG else "smtp://localhost:25")
if EMAIL_URL == "files":
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": str(STATE_DIR / "mail")},
        }
    }
elif EMAIL_URL.startswith("anymail://"):
    _provider = urlsplit(EMAIL_URL)
    MAILERS = {
        "default": {
            "BACKEND": f"anymail.backends.{_provider.netloc}.EmailBackend",
            "OPTIONS": dict(parse_qsl(_provider.query)),
        }
    }
else:
    _smtp = env.email_url_config(EMAIL_URL)
    MAILERS = {
        "default": {
            "BACKEND": _smtp["EMAIL_BACKEND"],
            "OPTIONS": {
                "host": _smtp["EMAIL_HOST"],
                "port": _smtp["EMAIL_PORT"],
                "username": _smtp["EMAIL_HOST_USER"] or "",
                "password": _smtp["EMAIL_HOST_PASSWORD"] or "",
                "use_tls": _smtp.get("EMAIL_USE_TLS", False),
                "use_ssl": _smtp.get("EMAIL_USE_SSL", False),
                "timeout": 10,
            },
        }
    }
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Lavka <shop@localhost>")

# --- safety -----------------------------------------------------------------------------------

# Off where plain HTTP is all there is: `lavka up` and the containers on 127.0.0.1.
IS_HTTPS = env.bool("LAVKA_HTTPS", not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
# With this prefix a browser takes a cookie from this very host alone, over HTTPS (RFC 6265bis).
_OF_THIS_HOST = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_OF_THIS_HOST}sessionid"
CSRF_COOKIE_NAME = f"{_OF_THIS_HOST}csrftoken"
DEVICE_COOKIE_NAME = f"{_OF_THIS_HOST}lavka_device"
CSRF_FAILURE_VIEW = "lavka.web.problems.csrf_failed"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # a mailed link leads into the admin
SESSION_ENGINE = "lavka.accounts.admin_sessions"
SESSION_SAVE_EVERY_REQUEST = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LOGGING = web_logging.config(
    is_json=env.bool("LAVKA_LOG_JSON", not DEBUG), level=env.str("LAVKA_LOG_LEVEL", "INFO")
)

# --- the product's own options (lavka/kernel/conf.py) -----------------------------------------

# The sandbox sells for nothing: only where people try the shop.
PAYMENT_METHODS = env.list(
    "LAVKA_PAYMENT_METHODS",
    default=["sandbox", "invoice", "cash_on_delivery"] if DEBUG else ["invoice"],
)
_GATEWAYS = {
    "sandbox": "lavka.payments.gateways.sandbox.Sandbox",
    "invoice": "lavka.payments.gateways.manual.Manual",
    "cash_on_delivery": "lavka.payments.gateways.manual.Manual",
    "stripe": "lavka.payments.gateways.stripe.Stripe",
}
LAVKA = {
    "CURRENCY": env.str("LAVKA_CURRENCY", "USD"),
    "SHOP_NAME": env.str("LAVKA_SHOP_NAME", "Lavka"),
    "SELLER": {
        "name": env.str("LAVKA_SELLER_NAME", ""),
        # Its lines are parted by semicolons.
        "address": [
            line.strip() for line in env.str("LAVKA_SELLER_ADDRESS", "").split(";") if line.strip()
        ],
        "vat_number": env.str("LAVKA_SELLER_VAT_NUMBER", ""),
        "tax_number": env.str("LAVKA_SELLER_TAX_NUMBER", ""),
        "register": env.str("LAVKA_SELLER_REGISTER", ""),
        "contact": env.str("LAVKA_SELLER_CONTACT", ""),
    },
    "INVOICE_PREFIX": env.str("LAVKA_INVOICE_PREFIX", "INV-"),
    "CREDIT_NOTE_PREFIX": env.str("LAVKA_CREDIT_NOTE_PREFIX", "CN-"),
    "SHOP_URL": env.str("LAVKA_SHOP_URL", "http://127.0.0.1:8000"),
    # LAVKA_LINK_RESET_PASSWORD=/reset?token={token}: one variable for each kind of link.
    "LINKS": {
        name.removeprefix("LAVKA_LINK_").lower(): page
        for name, page in env.ENVIRON.items()
        if name.startswith("LAVKA_LINK_") and page
    },
    "PRICES_INCLUDE_TAX": env.bool("LAVKA_PRICES_INCLUDE_TAX", False),
    "REVIEWS_NEED_APPROVAL": env.bool("LAVKA_REVIEWS_NEED_APPROVAL", False),
    "THROTTLES": env.str("LAVKA_THROTTLES", "on") != "off",
    "VALKEY_URL": VALKEY_URL,
    "KEYS": {purpose: secrets for purpose, secrets in KEYS.items() if secrets},
    "ORDER_LINKS_DAYS": env.int("LAVKA_ORDER_LINKS_DAYS", 90),
    "WEBHOOKS_ALLOW_PRIVATE": env.bool("LAVKA_WEBHOOKS_ALLOW_PRIVATE", False),
    # `lavka up` sets it for its processes, and is no way to serve customers.
    "WEBHOOKS_ALLOW_LOOPBACK": env.bool("LAVKA_UP", False),
    "EVENTS_KEPT_DAYS": env.int("LAVKA_EVENTS_KEPT_DAYS", 90),
    "CARTS_KEPT_DAYS": env.int("LAVKA_CARTS_KEPT_DAYS", 30),
    "DRAFTS_KEPT_DAYS": env.int("LAVKA_DRAFTS_KEPT_DAYS", 90),
    # `name=dotted.path` adds a gateway of your own.
    "PAYMENT_GATEWAYS": {
        name: path or _GATEWAYS.get(name, name)
        for name, _separator, path in (each.partition("=") for each in PAYMENT_METHODS)
    },
    "CAPTURES_AT_ONCE": env.bool("LAVKA_CAPTURES_AT_ONCE", True),
    "HOLD_SECONDS": env.int("LAVKA_HOLD_SECONDS", 900),
    "HOLD_MAX_SECONDS": env.int("LAVKA_HOLD_MAX_SECONDS", 1800),
    "PAYMENT_HOLD_SECONDS": env.int("LAVKA_PAYMENT_HOLD_SECONDS", 90),
    "GUEST_QUOTES_HOLD_STOCK": env.bool("LAVKA_GUEST_QUOTES_HOLD_STOCK", False),
    "HOLD_WINDOW_SECONDS": env.int("LAVKA_HOLD_WINDOW_SECONDS", 3600),
    "HOLD_UNITS": {
        "customer": env.int("LAVKA_HOLD_UNITS_PER_CUSTOMER", 200),
        "address": env.int("LAVKA_HOLD_UNITS_PER_ADDRESS", 500),
    },
    "HOLD_SHARE_PERCENT": {
        "customer": env.int("LAVKA_HOLD_SHARE_PER_CUSTOMER", 5),
        "address": env.int("LAVKA_HOLD_SHARE_PER_ADDRESS", 10),
    },
    "UNPAID_ORDERS_KEPT_DAYS": env.int("LAVKA_UNPAID_ORDERS_KEPT_DAYS", 14),
    "UNPAID_ORDERS": {
        "stranger": env.int("LAVKA_UNPAID_ORDERS_PER_STRANGER", 3),
        "customer": env.int("LAVKA_UNPAID_ORDERS_PER_CUSTOMER", 20),
        "address": env.int("LAVKA_UNPAID_ORDERS_PER_ADDRESS", 10),
    },
    "MAILS_A_DAY": {
        "account": env.int("LAVKA_ACCOUNT_MAILS_A_DAY", 10),
        "recovery": env.int("LAVKA_RECOVERY_MAILS_A_DAY", 20),
        "order": env.int("LAVKA_ORDER_MAILS_A_DAY", 10),
        "alert": env.int("LAVKA_ALERT_MAILS_A_DAY", 10),
    },
    "STRIPE": {
        "secret_key": env.str("STRIPE_SECRET_KEY", ""),
        "webhook_secret": env.str("STRIPE_WEBHOOK_SECRET", ""),
        "publishable_key": env.str("STRIPE_PUBLISHABLE_KEY", ""),
    },
}

UNFOLD = {
    "SITE_TITLE": "Lavka",
    "SITE_HEADER": "Lavka",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("web/icon.svg")}
    ],
    "STYLES": [],
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

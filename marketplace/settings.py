"""Settings of the example marketplace, each part of the outside world read from the environment."""

import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".demo"))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = os.environ.get("DEBUG", "") == "1"
# A public value is right only because this shop is an example that listens on 127.0.0.1.
SECRET_KEY = os.environ.get("SECRET_KEY", "the-example-marketplace-is-not-a-secret")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "lazyimages",
    "marketplace",
]

MIDDLEWARE = [
    "lazyimages.middleware.UploadRedirects",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "marketplace.preferences.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "marketplace.preferences.theme",
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if redis_url := os.environ.get("REDIS_URL"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("ro", "Română")]
# Where `makemessages -l ro -i lazyimages -i tests`, run beside manage.py, puts the texts of templates.
LOCALE_PATHS = [BASE_DIR / "marketplace" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"

# Where photos live. DELIVERY=local needs no cloud at all; the other two keep everything in one bucket.
DELIVERY = os.environ.get("DELIVERY", "local")
if DELIVERY == "local":
    photos = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "originals"},
    }
    variants = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "variants"},
    }
else:
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    photos = variants = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": os.environ.get("AWS_STORAGE_BUCKET_NAME", "marketplace"),
            "region_name": os.environ.get("AWS_DEFAULT_REGION", "eu-central-1"),
            "endpoint_url": os.environ.get("AWS_ENDPOINT_URL_S3"),
            "querystring_auth": False,
            "client_config": Config(
                connect_timeout=1,
                read_timeout=3,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL_S3") else {},
            ),
            "transfer_config": TransferConfig(multipart_threshold=64 * 2**20),
        },
    }
STORAGES = {
    "default": photos,
    "lazyimages": variants,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LAZYIMAGES = {
    "SIZES": ["360x270", "480h", "1280w"],
    "FORMATS": ["avif", "webp"],
    # Each layout says how wide shop.css shows the photo, so that browsers choose well. No step between two
    # sizes of a preset is much above 1.5, so that none is much larger than its box needs.
    "PRESETS": {
        "card": {
            "sizes": "360x360 240x240 540x540 720x720",
            "layout": (
                "(min-width: 82rem) 18rem, (min-width: 64rem) calc(25vw - 2.5rem), "
                "(min-width: 42rem) calc(33.33vw - 2rem), calc(50vw - 1.375rem)"
            ),
        },
        "shelf": {"sizes": "240x240 360x360 540x540", "layout": "(min-width: 76rem) 11.4rem, 10.5rem"},
        "hero": {
            "sizes": "800x640 640x512 1200x960 1600x1280",
            "layout": (
                "(min-width: 82rem) 43.75rem, (min-width: 64rem) calc(58.33vw - 4.08rem), "
                "(min-width: 60rem) calc(58.33vw - 3.5rem), calc(100vw - 3rem)"
            ),
            "priority": True,
            "sources": [
                {"media": "(max-width: 41.99rem)", "sizes": "480x480 800x800 1200x1200", "layout": "100vw"}
            ],
        },
        "detail": {
            "sizes": "640w 420w 960w 1280w",
            "layout": (
                "(min-width: 82rem) 40rem, (min-width: 64rem) calc(61.54vw - 10.42rem), "
                "(min-width: 42rem) calc(54.55vw - 2.73rem), 100vw"
            ),
        },
        "thumb": {"sizes": "96x96 192x192", "layout": "5.5rem"},
        "queue": {"sizes": "240x240 360x360 540x540", "layout": "10.5rem"},
        "whole": {"sizes": "240w 360w", "layout": "10.5rem"},
    },
    "DELIVERY": DELIVERY,
    "CDN_URL": os.environ.get("CDN_URL", ""),
    "RESIZER_URL": os.environ.get("RESIZER_URL", ""),
    # Workers share the processors. gunicorn itself reads this variable: the default of --workers.
    "MAX_RENDERS": max(1, (os.cpu_count() or 1) // int(os.environ.get("WEB_CONCURRENCY") or 1)),
    # As many as the web server was told to run in each worker: gunicorn --threads.
    "THREADS": int(os.environ["WEB_THREADS"]) if os.environ.get("WEB_THREADS") else None,
    "ORIGIN_SECRET": os.environ.get("ORIGIN_SECRET") or None,
    "DISTRIBUTION_ID": os.environ.get("DISTRIBUTION_ID") or None,
    # Where photos are on S3, sellers' browsers send them there by themselves.
    "DIRECT_UPLOADS": "marketplace.uploads.may_upload" if DELIVERY != "local" else None,
}

# The API is to be read by anybody, and by programs alone.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {"TITLE": "Marketplace", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

# The demo's event log, which /trace/ shows; without one there is no such page.
if TRACE_LOG := os.environ.get("TRACE_LOG"):
    MIDDLEWARE.insert(0, "marketplace.trace.middleware.TraceMiddleware")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"lazyimages": {"handlers": ["console"], "level": "INFO", "propagate": True}},
}

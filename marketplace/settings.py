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
    "lazyimages",
    "marketplace",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
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
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if redis_url := os.environ.get("REDIS_URL"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "product-list"
LOGOUT_REDIRECT_URL = "product-list"

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
    # Each layout says how wide shop.css shows the photo, so that browsers choose well.
    "PRESETS": {
        "card": {
            "sizes": "360x270 720x540",
            "layout": "(min-width: 82rem) 18rem, (min-width: 64rem) 22vw, (min-width: 42rem) 30vw, 45vw",
        },
        "detail": {
            "sizes": "640w 960w 1280w",
            "layout": "(min-width: 82rem) 44.5rem, (min-width: 56rem) 54vw, 92vw",
        },
        "thumb": {"sizes": "96x96 192x192", "layout": "5.5rem"},
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
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"lazyimages": {"handlers": ["console"], "level": "INFO", "propagate": True}},
}

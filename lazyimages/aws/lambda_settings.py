"""Django settings of the function, all from environment variables, for who brings no project of their own.

`docs/lambda.md` has the table of them. Whoever sets DJANGO_SETTINGS_MODULE uses their own settings instead,
and none of this is read.
"""

import json
import logging
import os
import secrets
from importlib.util import find_spec
from typing import Any

from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured


def _required(name: str, remedy: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"The environment variable {name} is not set. {remedy}")
    return value


def _lazyimages() -> dict[str, Any]:
    """Return LAZYIMAGES, with the secret put in that need not stand in it for all to read."""
    text = _required("LAZYIMAGES", 'Set it to the setting as JSON, as in {"SIZES": ["360x270", "480h"]}.')
    remedy = "Write the LAZYIMAGES of your site's settings as JSON: double quotes, true, false and null."
    try:
        value = json.loads(text)
    except ValueError as error:  # not quoted: ORIGIN_SECRET may be in it, and this ends up in a log
        raise ImproperlyConfigured(
            f"The environment variable LAZYIMAGES is not JSON ({error}). {remedy}"
        ) from None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"The environment variable LAZYIMAGES is not a JSON object. {remedy}")
    if secret := os.environ.get("LAZYIMAGES_ORIGIN_SECRET"):
        value["ORIGIN_SECRET"] = secret
    # What the site calls its storages and caches is no affair of the function, which has its own.
    return value | {"ORIGINALS": "default", "VARIANTS": "lazyimages", "CACHE": "default"}


def _s3(bucket: str, location: str = "") -> dict[str, Any]:
    region = os.environ.get("LAZYIMAGES_REGION") or _required(
        "AWS_REGION", "Lambda sets it; elsewhere set it, or LAZYIMAGES_REGION, to the region of the bucket."
    )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "location": location,
            "region_name": region,
            "querystring_auth": False,
            "client_config": Config(
                connect_timeout=1,
                read_timeout=3,
                # The second is for a connection that was closed while the function was frozen.
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        },
    }


def _caches() -> dict[str, Any]:
    url = os.environ.get("LAZYIMAGES_REDIS_URL")
    if not url:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    if find_spec("redis") is None:
        raise ImproperlyConfigured(
            "The environment variable LAZYIMAGES_REDIS_URL is set, but Redis' client is not there. Build the "
            "zip with it: make lambda ARGS=\"--with 'redis>=6'\"."
        )
    return {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}


def _level() -> str:
    level = os.environ.get("LAZYIMAGES_LOG_LEVEL") or "INFO"
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(
            f"The environment variable LAZYIMAGES_LOG_LEVEL is {level!r}, no level. Choose from DEBUG, INFO, "
            "WARNING and ERROR."
        )
    return level


_bucket = _required("LAZYIMAGES_BUCKET", "Set it to the bucket that holds the originals.")
_variants = os.environ.get("LAZYIMAGES_VARIANTS_BUCKET") or _bucket
_location = os.environ.get("LAZYIMAGES_ORIGINALS_LOCATION", "")

# Nothing here signs or reads anything signed, so no function has to know another's.
SECRET_KEY = secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS: list[str] = []  # no URL is made from a request's Host
INSTALLED_APPS = ["lazyimages"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "lazyimages.aws.lambda_urls"
DATABASES: dict[str, Any] = {}
USE_TZ = True
USE_I18N = False
CACHES = _caches()
# One entry where one will do: each has a client of its own, which takes a tenth of a second to make.
STORAGES = {"default": _s3(_bucket, _location)}
if _variants != _bucket or _location:
    STORAGES["lazyimages"] = _s3(_variants)
LAZYIMAGES = _lazyimages()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "lazyimages": {
            "handlers": ["console"],
            "level": _level(),
            "propagate": False,  # Lambda's own handler at the root would print each line again
        },
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}

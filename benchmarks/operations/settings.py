"""A project with nothing but lazyimages: files below a directory, or a bucket of `tiny_s3`."""

import os
from pathlib import Path

from benchmarks.operations.layout import SIZES

_FOLDER = Path(os.environ["SCALE_FOLDER"])

SECRET_KEY = "of no use outside of this benchmark"
INSTALLED_APPS = ["lazyimages", "benchmarks.operations"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _FOLDER / "rows.sqlite3",
        "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROOT_URLCONF = "benchmarks.operations.urls"
MEDIA_ROOT = _FOLDER / "media"
MEDIA_URL = "/media/"
_FILES = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
_BUCKET = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": "shop",
        "endpoint_url": os.environ.get("SCALE_S3"),
        "region_name": "eu-central-1",
        "access_key": "anybody",
        "secret_key": "anything",
        "querystring_auth": False,
    },
}
STORAGES = {"default": _BUCKET if "SCALE_S3" in os.environ else _FILES}
LAZYIMAGES = {"SIZES": [*SIZES, *os.environ.get("SCALE_SIZES", "").split()]}
